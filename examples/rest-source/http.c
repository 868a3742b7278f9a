/* rest-source/http: libcurl with a limit on answers, and a weir_retry around every request. */
#include "http.h"

#include <curl/curl.h>
#include <stdlib.h>

#define ANSWER_SIZE_MAX ((size_t)16 * 1024 * 1024)
#define CONNECT_TIMEOUT_S 30L
#define REQUEST_TIMEOUT_S 120L

struct http {
    CURL *curl;
    struct curl_slist *headers;
    char *base;
    char *body; /* of the answer */
    size_t size;
    size_t capacity;
};

bool http_setup(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

http *http_new(const char *base, const char *token)
{
    http *h = calloc(1, sizeof *h);
    size_t size = strlen(base);
    char *line;

    if (h == NULL)
        return NULL;
    while (size > 0 && base[size - 1] == '/') /* as people paste it */
        size--;
    h->curl = curl_easy_init();
    h->base = strndup(base, size);
    line = malloc(strlen(token) + sizeof "Authorization: Bearer ");
    if (line != NULL) {
        memcpy(line, "Authorization: Bearer ", sizeof "Authorization: Bearer " - 1);
        memcpy(line + sizeof "Authorization: Bearer " - 1, token, strlen(token) + 1);
        h->headers = curl_slist_append(NULL, line);
        free(line);
    }
    if (h->curl != NULL && h->base != NULL && h->headers != NULL)
        return h;
    http_free(h);
    return NULL;
}

void http_free(http *h)
{
    if (h == NULL)
        return;
    curl_slist_free_all(h->headers);
    curl_easy_cleanup(h->curl);
    free(h->base);
    free(h->body);
    free(h);
}

/* libcurl has more of the answer; fewer bytes taken than given end the request. */
static size_t take(char *data, size_t unit, size_t count, void *context)
{
    http *h = context;
    size_t size = unit * count;

    if (h->size + size > ANSWER_SIZE_MAX)
        return 0;
    if (h->size + size > h->capacity) {
        size_t capacity = (h->size + size) * 2;
        char *body = realloc(h->body, capacity);

        if (body == NULL)
            return 0;
        h->body = body;
        h->capacity = capacity;
    }
    memcpy(h->body + h->size, data, size);
    h->size += size;
    return size;
}

/* Non-zero ends the request: nobody waits for it any more. */
static int still_wanted(void *call, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return weir_running(call) ? 0 : 1;
}

/* One attempt: the HTTP status, or 0 when there was none; then *reason says why. */
static long attempt(weir_call *call, http *h, const char *url, const char **reason)
{
    CURL *curl = h->curl;
    long code = 0;
    CURLcode error;

    curl_easy_reset(curl); /* settings only: the connection is kept */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, h->headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, REQUEST_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, still_wanted);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call);
    h->size = 0;
    error = curl_easy_perform(curl);
    if (error != CURLE_OK) {
        *reason = h->size + CURL_MAX_WRITE_SIZE > ANSWER_SIZE_MAX ? "the answer is too large"
                                                                  : curl_easy_strerror(error);
        return 0;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    *reason = weir_printf(call, "HTTP status %ld", code);
    return code;
}

weir_status http_get(weir_call *call, http *h, const char *path, json_t **out)
{
    weir_retry again = { .call = call };
    const char *url = weir_printf(call, "%s%s", h->base, path);
    const char *reason = "";

    while (weir_retry_next(&again)) {
        long code = attempt(call, h, url, &reason);
        curl_off_t wait_s = 0;

        if (code == 200) {
            json_error_t where;

            *out = json_loadb(h->body, h->size, 0, &where);
            if (*out != NULL)
                return WEIR_OK;
            return weir_fail(call, "'%s' answered with what is no JSON: %s", url, where.text);
        }
        if (code == 401 || code == 403)
            return weir_task(call, "The API at '%s' refuses the token (%s). Make a new one and enter it.",
                             h->base, reason);
        if (code != 0 && code != 408 && code != 429 && code < 500)
            return weir_fail(call, "cannot read '%s': %s", url, reason);
        if (curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
            weir_retry_after(&again, wait_s * 1000);
    }
    return weir_retry_fail(&again, "cannot read '%s': %s", url, reason);
}
