/*
 * weir/form.h: the setup form and the options struct, declared once.
 *
 * A partner lists the fields of a struct; that one table is the form the platform shows, the parser of the
 * configuration and its checker. Values arrive as text (R-RPC, "configuration" maps); a field that is absent
 * or empty takes its fallback, which also covers configurations saved before the field existed. Duplicate
 * names are refused at start.
 *
 *     struct options { const char *host; int64_t port; bool tls; };
 *
 *     .form = WEIR_FORM(struct options,
 *         WEIR_TEXT(struct options, host, .label = "Host", .required = true),
 *         WEIR_INTEGER(struct options, port, .label = "Port", .fallback = "5432", .maximum = 65535),
 *         WEIR_TOGGLE(struct options, tls, .label = "Use TLS", .fallback = "true"))
 *
 * The macro checks the member's type: WEIR_INTEGER on an `int` member does not compile. The configuration key
 * is the member's name unless `.name` says otherwise. All strings are static. C11 only (the macros use
 * _Generic).
 */
#ifndef WEIR_FORM_H
#define WEIR_FORM_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum weir_field_kind {
    WEIR_FIELD_TEXT = 0,     /* const char *: shown as typed */
    WEIR_FIELD_PASSWORD = 1, /* const char *: hidden, masked in logs and messages */
    WEIR_FIELD_HIDDEN = 2,   /* const char *: set by the platform, not shown */
    WEIR_FIELD_DROPDOWN = 3, /* const char *: one of `choices` */
    WEIR_FIELD_TOGGLE = 4,   /* bool: "true" or "false" */
    WEIR_FIELD_INTEGER = 5   /* int64_t: a text field on the wire, checked against minimum and maximum */
} weir_field_kind;

/* One field. The macros fill in `member`, `kind` and `offset`; of the others zero means "not set". */
typedef struct weir_field {
    const char *name; /* key in the configuration; the member's name when NULL */
    weir_field_kind kind;
    size_t offset;           /* of the member in the options struct, bytes */
    const char *label;       /* what the form shows; the name when NULL */
    const char *description; /* one sentence of help */
    const char *placeholder;
    const char *fallback; /* value when absent or empty; also the form's default */
    bool required;        /* absent or empty, without a fallback, is a task for the person who set it up */
    const char *const *choices; /* dropdown: NULL-terminated */
    int64_t minimum;            /* integer: bounds, both 0 for none */
    int64_t maximum;
    const char *member; /* its name in the options struct */
} weir_field;

typedef struct weir_form {
    size_t options_size; /* sizeof the options struct; 0 when the connector has no options */
    const weir_field *fields;
    size_t field_count;
} weir_form;

#define WEIR_FORM(type, ...)                                                            \
    {                                                                                   \
        .options_size = sizeof(type), .fields = (const weir_field[]){ __VA_ARGS__ },    \
        .field_count = sizeof((const weir_field[]){ __VA_ARGS__ }) / sizeof(weir_field) \
    }

/* offsetof, and a compile error unless the member has the wanted type. */
#define WEIR__MEMBER(type, member, wanted) \
    (offsetof(type, member) + 0 * sizeof(_Generic(&((type *)0)->member, wanted * : 1)))

#define WEIR__FIELD(wanted, type, member_name, ...)                                            \
    {                                                                                          \
        .member = #member_name, .offset = WEIR__MEMBER(type, member_name, wanted), __VA_ARGS__ \
    }

/* Each takes (options type, member, and any of the fields of weir_field by name). */
#define WEIR_TEXT(...) WEIR__FIELD(const char *, __VA_ARGS__, .kind = WEIR_FIELD_TEXT)
#define WEIR_PASSWORD(...) WEIR__FIELD(const char *, __VA_ARGS__, .kind = WEIR_FIELD_PASSWORD)
#define WEIR_HIDDEN(...) WEIR__FIELD(const char *, __VA_ARGS__, .kind = WEIR_FIELD_HIDDEN)
#define WEIR_DROPDOWN(...) WEIR__FIELD(const char *, __VA_ARGS__, .kind = WEIR_FIELD_DROPDOWN)
#define WEIR_TOGGLE(...) WEIR__FIELD(bool, __VA_ARGS__, .kind = WEIR_FIELD_TOGGLE)
#define WEIR_INTEGER(...) WEIR__FIELD(int64_t, __VA_ARGS__, .kind = WEIR_FIELD_INTEGER)

/* The choices of a dropdown: .choices = WEIR_CHOICES("full", "incremental") */
#define WEIR_CHOICES(...) \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

#ifdef __cplusplus
}
#endif

#endif
