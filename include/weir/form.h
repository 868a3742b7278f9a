/*
 * weir/form.h: the setup form and the options struct, declared once.
 *
 * A partner lists the fields of a struct; that one table is the form the platform shows, the parser of the
 * configuration, its checker, and its documentation (`--help` and `--form` print it). Values arrive as text
 * (R-RPC, "configuration" maps); a field that is absent or empty takes its fallback, which also covers
 * configurations saved before the field existed.
 *
 *     struct options { const char *host; int64_t port; bool tls; weir_bytes authorities; };
 *
 *     .form = WEIR_FORM(struct options,
 *         WEIR_TEXT(struct options, host, .label = "Host", .required = true),
 *         WEIR_INTEGER(struct options, port, .label = "Port", .fallback = "5432", .maximum = 65535),
 *         WEIR_TOGGLE(struct options, tls, .label = "Use TLS", .fallback = "true"),
 *         WEIR_WHEN_TRUE(struct options, tls,
 *             WEIR_UPLOAD(struct options, authorities, .label = "Trusted certificates",
 *                         .file_types = WEIR_CHOICES(".pem", ".crt"))))
 *
 * The macros check the member's type: WEIR_INTEGER on an `int` member does not compile. The configuration key
 * is the member's name unless `.name` says otherwise. All strings are static.
 *
 * Groups. The fields inside WEIR_WHEN_… are shown while another field, declared before them, has a certain
 * value. Groups nest, up to eight deep. A field that is not shown counts as absent: what the configuration
 * says about it is left over from another choice and is not looked at, it is never missing, and its member
 * takes the fallback. Keys are unique over all groups, for the platform knows them all by name; but fields of
 * different groups may fill the same member, and the one that is shown does.
 *
 * What cannot work is refused at start, in a sentence: two fields with one key, a condition on a field that
 * comes later, a fallback that its own field refuses.
 *
 * C++: the declarations are fine, the macros are C11 only (_Generic, designated initialisers). Put the struct
 * and `const weir_form my_form = WEIR_FORM(…);` into a C file, and say `extern "C" const weir_form my_form;`
 * in the C++ files.
 */
#ifndef WEIR_FORM_H
#define WEIR_FORM_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kind of a field, and the type of the member it fills. */
typedef enum weir_field_kind {
    WEIR_FIELD_TEXT = 0,      /* const char *: shown as typed */
    WEIR_FIELD_PASSWORD = 1,  /* const char *: hidden, masked in logs and messages (R-RPC-09) */
    WEIR_FIELD_HIDDEN = 2,    /* const char *: set by the platform, not shown */
    WEIR_FIELD_DROPDOWN = 3,  /* const char *: one of `choices` */
    WEIR_FIELD_TOGGLE = 4,    /* bool: "true" or "false" */
    WEIR_FIELD_INTEGER = 5,   /* int64_t: a text field on the wire, checked against minimum and maximum */
    WEIR_FIELD_REAL = 6,      /* double: the same with real_minimum and real_maximum; always finite */
    WEIR_FIELD_UPLOAD = 7,    /* weir_bytes: the bytes of a file; masked like a password */
    WEIR_FIELD_DESCRIBED = 8, /* const char *: the value of one of `described` */
    WEIR_FIELD_GROUP = 9      /* no member of its own: `fields`, shown while `condition` holds */
} weir_field_kind;

/* One choice of a described dropdown. The label is shown, the value is what the configuration says. */
typedef struct weir_choice {
    const char *value;
    const char *label;       /* the value when NULL */
    const char *description; /* one sentence; may be NULL */
} weir_choice;

/* When a group is shown. The field meant is the one that fills `member`. */
typedef enum weir_condition {
    WEIR_IS_TRUE = 1,  /* a toggle is on */
    WEIR_IS_FALSE = 2, /* a toggle is off */
    WEIR_IS = 3,       /* a text or dropdown has the value `condition_value` */
    WEIR_IS_EMPTY = 4  /* a text, password or upload is not filled in */
} weir_condition;

/* One field. The macros fill in `member`, `kind` and `offset`; of the others zero means "not set". */
typedef struct weir_field {
    const char *name; /* key in the configuration; the member's name when NULL */
    weir_field_kind kind;
    size_t offset;           /* of the member in the options struct, bytes */
    const char *label;       /* what the form shows; the name when NULL */
    const char *description; /* one sentence of help */
    const char *placeholder;
    const char *fallback; /* value when absent or empty; also the form's default. Not for uploads */
    bool required;        /* absent or empty, without a fallback, is a task for the person who set it up */
    const char *const *choices; /* dropdown: NULL-terminated */
    int64_t minimum;            /* integer: bounds, both 0 for none */
    int64_t maximum;
    const char *member;           /* its name in the options struct; of a group, the one that decides */
    const weir_choice *described; /* described dropdown: ends with a choice whose value is NULL */
    double real_minimum;          /* real: bounds, both 0 for none */
    double real_maximum;
    /*
     * Text, password and hidden: the longest value in bytes, 0 for any. Upload: the largest file in bytes, 0
     * for 1 MiB, at most 8 MiB; larger values are refused before they are decoded.
     */
    size_t size_max;
    const char *const *file_types; /* upload: ".pem" and the like, NULL-terminated; NULL for any */
    /*
     * Text and password: the value is PEM, a certificate or a key. Forms turn its line ends into spaces when
     * it is pasted; the member gets them back. A value without a "-----BEGIN …-----" block is refused.
     */
    bool pem;
    weir_condition condition; /* group */
    const char *condition_value;
    const struct weir_field *fields;
    size_t field_count;
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
#define WEIR_DESCRIBED(...) WEIR__FIELD(const char *, __VA_ARGS__, .kind = WEIR_FIELD_DESCRIBED)
#define WEIR_TOGGLE(...) WEIR__FIELD(bool, __VA_ARGS__, .kind = WEIR_FIELD_TOGGLE)
#define WEIR_INTEGER(...) WEIR__FIELD(int64_t, __VA_ARGS__, .kind = WEIR_FIELD_INTEGER)
#define WEIR_REAL(...) WEIR__FIELD(double, __VA_ARGS__, .kind = WEIR_FIELD_REAL)
/*
 * The member is borrowed for the call and is followed by a NUL that is not counted, so that the bytes of a
 * text file can be used as a string. `data` is NULL when nothing was uploaded.
 */
#define WEIR_UPLOAD(...) WEIR__FIELD(weir_bytes, __VA_ARGS__, .kind = WEIR_FIELD_UPLOAD)

/* The choices of a dropdown: .choices = WEIR_CHOICES("full", "incremental"); also for .file_types. */
#define WEIR_CHOICES(...) \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

/* Those of a described one: .described = WEIR_DESCRIPTIONS({ "full", "Full", "Everything, every time." }) */
#define WEIR_DESCRIPTIONS(...) \
    (const weir_choice[])      \
    {                          \
        __VA_ARGS__,           \
        {                      \
            NULL, NULL, NULL   \
        }                      \
    }

#define WEIR__GROUP(checked, decider, when, value, ...)                                          \
    {                                                                                            \
        .kind = WEIR_FIELD_GROUP, .member = decider, .offset = 0 * (checked), .condition = when, \
        .condition_value = value, .fields = (const weir_field[]){ __VA_ARGS__ },                 \
        .field_count = sizeof((const weir_field[]){ __VA_ARGS__ }) / sizeof(weir_field)          \
    }

/* Groups. Each takes (options type, the member that decides, fields…); WEIR_WHEN_IS its value before them. */
#define WEIR_WHEN_TRUE(type, decider, ...) \
    WEIR__GROUP(WEIR__MEMBER(type, decider, bool), #decider, WEIR_IS_TRUE, NULL, __VA_ARGS__)
#define WEIR_WHEN_FALSE(type, decider, ...) \
    WEIR__GROUP(WEIR__MEMBER(type, decider, bool), #decider, WEIR_IS_FALSE, NULL, __VA_ARGS__)
#define WEIR_WHEN_IS(type, decider, value, ...) \
    WEIR__GROUP(WEIR__MEMBER(type, decider, const char *), #decider, WEIR_IS, value, __VA_ARGS__)
#define WEIR_WHEN_EMPTY(type, decider, ...)                                                             \
    WEIR__GROUP(sizeof(_Generic(&((type *)0)->decider, const char ** : 1, weir_bytes * : 1)), #decider, \
                WEIR_IS_EMPTY, NULL, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
