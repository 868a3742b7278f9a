/*
 * harness/golden: compared byte by byte; a difference is shown by lines.
 *
 * The difference is a longest common subsequence of the lines between the common head and tail; where that
 * would take more than CELLS_MAX comparisons, all of the middle is shown as changed.
 */
#include "harness/golden.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "harness/render.h"
#include "sys/file.h"

#define GOLDEN_SIZE_MAX ((size_t)64 * 1024 * 1024)
#define CELLS_MAX ((size_t)16 * 1024 * 1024)
#define CONTEXT 2
#define SHOWN_LINES_MAX 200

typedef struct lines {
    weir_bytes *items;
    size_t count;
} lines;

static lines split(weir_bytes text)
{
    lines out = { 0 };
    size_t capacity = 0;
    size_t at = 0;

    while (at < text.size) {
        const char *end = memchr(text.data + at, '\n', text.size - at);
        size_t size = end ? (size_t)(end - text.data) - at : text.size - at;

        if (out.count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            out.items = weir__test_memory(weir__realloc_array(out.items, capacity, sizeof *out.items));
        }
        out.items[out.count++] = (weir_bytes){ text.data + at, size };
        at += size + 1;
    }
    return out;
}

static void put_line(weir_buf *out, char sign, weir_bytes line, size_t *shown)
{
    if (++*shown > SHOWN_LINES_MAX)
        return;
    weir__render_format(out, "\n%c ", sign);
    if (!weir__buf_put(out, line.data, line.size))
        weir__test_no_memory();
}

/* length[i][j]: of the longest common subsequence of a[i…] and b[j…]. */
static uint32_t *table_of(const weir_bytes *a, size_t na, const weir_bytes *b, size_t nb)
{
    uint32_t *length = weir__test_memory(weir__calloc((na + 1) * (nb + 1), sizeof *length));

    for (size_t i = na; i-- > 0;)
        for (size_t j = nb; j-- > 0;) {
            uint32_t *at = &length[i * (nb + 1) + j];
            uint32_t down = length[(i + 1) * (nb + 1) + j];
            uint32_t right = length[i * (nb + 1) + j + 1];

            if (weir__bytes_equal(a[i], b[j]))
                *at = length[(i + 1) * (nb + 1) + j + 1] + 1;
            else
                *at = down > right ? down : right;
        }
    return length;
}

static void diff_middle(weir_buf *out, const weir_bytes *a, size_t na, const weir_bytes *b, size_t nb,
                        size_t *shown)
{
    uint32_t *length = na > 0 && nb > 0 && na < CELLS_MAX / (nb + 1) - 1 ? table_of(a, na, b, nb) : NULL;
    size_t i = 0;
    size_t j = 0;

    while (length != NULL && i < na && j < nb) {
        if (weir__bytes_equal(a[i], b[j])) {
            put_line(out, ' ', a[i], shown);
            i++;
            j++;
        } else if (length[(i + 1) * (nb + 1) + j] >= length[i * (nb + 1) + j + 1]) {
            put_line(out, '-', a[i++], shown);
        } else {
            put_line(out, '+', b[j++], shown);
        }
    }
    while (i < na)
        put_line(out, '-', a[i++], shown);
    while (j < nb)
        put_line(out, '+', b[j++], shown);
    weir__free(length);
}

void weir__golden_diff(weir_bytes expected, weir_bytes got, weir_buf *out)
{
    lines a = split(expected);
    lines b = split(got);
    size_t head = 0;
    size_t tail = 0;
    size_t shown = 0;

    while (head < a.count && head < b.count && weir__bytes_equal(a.items[head], b.items[head]))
        head++;
    while (tail < a.count - head && tail < b.count - head &&
           weir__bytes_equal(a.items[a.count - 1 - tail], b.items[b.count - 1 - tail]))
        tail++;
    weir__render_format(out, "\nline %zu:", head + 1);
    for (size_t i = head > CONTEXT ? head - CONTEXT : 0; i < head; i++)
        put_line(out, ' ', a.items[i], &shown);
    diff_middle(out, a.items + head, a.count - head - tail, b.items + head, b.count - head - tail, &shown);
    for (size_t i = 0; i < tail && i < CONTEXT; i++)
        put_line(out, ' ', a.items[a.count - tail + i], &shown);
    if (shown > SHOWN_LINES_MAX)
        weir__render_format(out, "\n… %zu more lines", shown - SHOWN_LINES_MAX);
    if (head == a.count && head == b.count)
        weir__render_text(out, "\n(only the line feed at the end differs)");
    weir__free(a.items);
    weir__free(b.items);
}

static const char *root; /* instead of the folder of the test's source */

const char *weir__golden_folder(void)
{
    return root;
}

void weir__golden_set_folder(const char *folder)
{
    root = folder;
}

/* Beside the source file that is asking, unless a folder was given. */
static char *resolve(const char *path)
{
    const char *base = root != NULL ? root : weir__here().file;
    const char *slash = strrchr(base, '/');
    size_t folder = root != NULL ? strlen(root) : slash != NULL ? (size_t)(slash - base) : 0;
    size_t size;
    char *out;

    if (path[0] == '/' || (root == NULL && slash == NULL))
        return weir__test_memory(weir__copy_text(path, strlen(path)));
    size = folder + strlen(path) + 2;
    out = weir__test_memory(weir__malloc(size));
    snprintf(out, size, "%.*s/%s", (int)folder, base, path);
    return out;
}

static bool bless(const char *path, weir_bytes text)
{
    weir_error err;
    weir_status status;
    char *folder = weir__test_memory(weir__copy_text(path, strlen(path)));
    char *slash = strrchr(folder, '/');

    if (slash != NULL)
        *slash = '\0';
    status = slash != NULL && slash != folder ? weir__folder_create(folder, &err) : WEIR_OK;
    if (status == WEIR_OK)
        status = weir__file_replace(path, text.data, text.size, &err);
    if (status != WEIR_OK)
        weir__fail_here("the golden cannot be written: %s", err.text);
    weir__free(folder);
    return status == WEIR_OK;
}

static bool compare(const char *what, const char *path, weir_bytes text)
{
    weir_buf golden;
    weir_buf diff;
    weir_error err;
    bool same = false;

    weir__buf_init(&golden, GOLDEN_SIZE_MAX);
    weir__buf_init(&diff, GOLDEN_SIZE_MAX);
    if (weir__file_load(path, &golden, &err) != WEIR_OK) {
        weir__fail_here("%s has no golden to be compared with: %s; WEIR_BLESS=1 writes it", what, err.text);
    } else if (weir__bytes_equal(weir__buf_bytes(&golden), text)) {
        same = true;
    } else {
        weir__golden_diff(weir__buf_bytes(&golden), text, &diff);
        weir__fail_here("%s is not as in '%s' (-), but (+); if that is right, WEIR_BLESS=1 writes it:%.*s",
                        what, path, (int)diff.size, diff.data);
    }
    weir__buf_clear(&golden);
    weir__buf_clear(&diff);
    return same;
}

bool weir__golden_expect(const char *what, weir_bytes text, const char *path)
{
    char *full = resolve(path);
    bool fine = weir__blessing() ? bless(full, text) : compare(what, full, text);

    weir__free(full);
    return fine;
}
