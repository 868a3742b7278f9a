/*
 * shared-postgresql/absent: what libpq asks of Kerberos and LDAP libraries that a static connector does not
 * carry.
 *
 * The static libpq names these symbols on its GSSAPI paths (gssencmode, krbsrvname) and its LDAP path (a
 * service file with an ldap:// line). Debian has no static archives of either library, and a connector wants
 * neither: connections are opened with gssencmode=disable and without a service. Each function fails in the
 * way its caller expects, so a server that insists on Kerberos gives libpq's own error instead of a crash.
 * The libraries' own headers are not needed to build, and arguments are ignored.
 */
#include <stddef.h>

#define GSS_FAILED ((unsigned)13 << 16) /* GSS_S_FAILURE */
#define LDAP_FAILED (-1)

#define GSS_ABSENT(name)   \
    unsigned name(void);   \
    unsigned name(void)    \
    {                      \
        return GSS_FAILED; \
    }
#define LDAP_ABSENT(name)   \
    int name(void);         \
    int name(void)          \
    {                       \
        return LDAP_FAILED; \
    }
#define POINTER_ABSENT(name) \
    void *name(void);        \
    void *name(void)         \
    {                        \
        return NULL;         \
    }

extern void *const GSS_C_NT_HOSTBASED_SERVICE;
void *const GSS_C_NT_HOSTBASED_SERVICE = NULL;

GSS_ABSENT(gss_acquire_cred)
GSS_ABSENT(gss_delete_sec_context)
GSS_ABSENT(gss_display_status)
GSS_ABSENT(gss_import_name)
GSS_ABSENT(gss_init_sec_context)
GSS_ABSENT(gss_release_buffer)
GSS_ABSENT(gss_release_cred)
GSS_ABSENT(gss_release_name)
GSS_ABSENT(gss_unwrap)
GSS_ABSENT(gss_wrap)
GSS_ABSENT(gss_wrap_size_limit)

LDAP_ABSENT(ldap_count_entries)
LDAP_ABSENT(ldap_msgfree)
LDAP_ABSENT(ldap_result)
LDAP_ABSENT(ldap_search_st)
LDAP_ABSENT(ldap_set_option)
LDAP_ABSENT(ldap_simple_bind)
LDAP_ABSENT(ldap_unbind)
LDAP_ABSENT(ldap_value_free_len)
POINTER_ABSENT(ldap_err2string)
POINTER_ABSENT(ldap_first_entry)
POINTER_ABSENT(ldap_get_values_len)
POINTER_ABSENT(ldap_init)
