/*
 * form-showcase: a source whose form has a field of every kind, and whose rows say what came of it.
 *
 * The struct is what the connector works with; the table below it is the form, the parser and the checker. A
 * handler never meets a configuration that the table refuses.
 */
#include <weir/weir.h>

struct options {
    const char *project;
    const char *region;
    const char *speed;
    const char *login;
    const char *token;
    const char *key;
    weir_bytes account;
    bool proxy;
    const char *proxy_host;
    int64_t proxy_port;
    const char *proxy_user;
    const char *proxy_password;
    bool proxy_anonymous;
    const char *address;
    double sample;
    int64_t rows;
    const char *installation;
};

static weir_status test_login(weir_call *call)
{
    const struct options *opt = weir_options(call);

    /* The text of a failure may hold anything: the token shows as ***. */
    if (opt->token && strcmp(opt->token, "expired-token") == 0)
        return weir_task(call, "The token '%s' has expired. Make a new one.", opt->token);
    return WEIR_OK;
}

static weir_status test_proxy(weir_call *call)
{
    const struct options *opt = weir_options(call);

    if (opt->proxy && !opt->proxy_user && !opt->proxy_anonymous)
        return weir_task(call, "Fill in the proxy's user, or say that it asks for none.");
    return WEIR_OK;
}

static const weir_table settings = {
    .name = "settings",
    WEIR_COLUMNS({ .name = "name", .type = WEIR_STRING, .key = true },
                 { .name = "value", .type = WEIR_STRING }),
};

static void send(weir_sync *out, const char *name, const char *value)
{
    weir_upsert(out, &settings, WEIR_CELLS(weir_string("name", name), weir_string("value", value)));
}

/* Secrets are told by their size. */
static weir_status update(weir_call *call, weir_sync *out)
{
    const struct options *opt = weir_options(call);

    send(out, "project", opt->project);
    send(out, "region", opt->region);
    send(out, "speed", opt->speed);
    send(out, "login", opt->login);
    send(out, "token", opt->token ? weir_printf(call, "%zu bytes", strlen(opt->token)) : NULL);
    send(out, "key", opt->key ? weir_printf(call, "%zu bytes", strlen(opt->key)) : NULL);
    send(out, "account", opt->account.data ? weir_printf(call, "%zu bytes", opt->account.size) : NULL);
    send(out, "proxy", opt->proxy ? "true" : "false");
    send(out, "proxy_host", opt->proxy_host);
    send(out, "proxy_port", weir_printf(call, "%lld", (long long)opt->proxy_port));
    send(out, "proxy_user", opt->proxy_user);
    send(out, "address", opt->address);
    send(out, "sample", weir_printf(call, "%g", opt->sample));
    send(out, "rows", weir_printf(call, "%lld", (long long)opt->rows));
    send(out, "installation", opt->installation);
    return weir_checkpoint(out);
}

static const weir_source source = {
    .name = "form-showcase",
    .form = WEIR_FORM(
        struct options,
        /* Texts, and choices with and without a description. */
        WEIR_TEXT(struct options, project, .label = "Project", .required = true, .size_max = 40,
                  .placeholder = "my-project", .description = "Its name, not its number."),
        WEIR_DROPDOWN(struct options, region, .label = "Region", .fallback = "eu",
                      .choices = WEIR_CHOICES("eu", "us", "asia")),
        WEIR_DESCRIBED(
            struct options, speed, .label = "Speed", .fallback = "careful",
            .described = WEIR_DESCRIPTIONS({ "careful", "Careful", "One request at a time." },
                                           { "fast", "Fast", "As many requests as the service allows." })),
        /* One of three ways to log in; only what belongs to the chosen one is shown, and required. */
        WEIR_DROPDOWN(struct options, login, .label = "Log in with", .required = true,
                      .choices = WEIR_CHOICES("token", "key", "account file")),
        WEIR_WHEN_IS(struct options, login, "token",
                     WEIR_PASSWORD(struct options, token, .label = "Token", .required = true)),
        WEIR_WHEN_IS(struct options, login, "key",
                     WEIR_PASSWORD(struct options, key, .label = "Private key", .required = true, .pem = true,
                                   .description = "Paste the file; line ends may get lost.")),
        WEIR_WHEN_IS(struct options, login, "account file",
                     WEIR_UPLOAD(struct options, account, .label = "Account file", .required = true,
                                 .file_types = WEIR_CHOICES(".json"), .size_max = 4096)),
        /* A toggle decides, groups nest, and two fields fill one member. */
        WEIR_TOGGLE(struct options, proxy, .label = "Through a proxy", .fallback = "false"),
        WEIR_WHEN_TRUE(struct options, proxy,
                       WEIR_TEXT(struct options, proxy_host, .label = "Proxy", .required = true),
                       WEIR_INTEGER(struct options, proxy_port, .label = "Proxy port", .fallback = "3128",
                                    .minimum = 1, .maximum = 65535),
                       WEIR_TEXT(struct options, proxy_user, .label = "Proxy user"),
                       WEIR_WHEN_EMPTY(struct options, proxy_user,
                                       WEIR_TOGGLE(struct options, proxy_anonymous,
                                                   .label = "The proxy asks for no user")),
                       WEIR_PASSWORD(struct options, proxy_password, .label = "Proxy password"),
                       WEIR_TEXT(struct options, address, .name = "proxied_address",
                                 .label = "Address behind the proxy", .required = true)),
        WEIR_WHEN_FALSE(struct options, proxy,
                        WEIR_TEXT(struct options, address, .name = "direct_address", .label = "Address",
                                  .fallback = "api.example.org")),
        /* Numbers, and what the platform fills in by itself. */
        WEIR_REAL(struct options, sample, .label = "Share of rows", .fallback = "1", .real_minimum = 0,
                  .real_maximum = 1, .description = "0.5 reads every second row."),
        WEIR_INTEGER(struct options, rows, .label = "Rows", .fallback = "10", .minimum = 0, .maximum = 1000),
        WEIR_HIDDEN(struct options, installation, .fallback = "none")),
    .tests = WEIR_TESTS({ "login", "Logging in", test_login }, { "proxy", "Finding the proxy", test_proxy }),
    WEIR_TABLES(&settings),
    .update = update,
};

int main(int argc, char **argv)
{
    return weir_source_main(argc, argv, &source);
}
