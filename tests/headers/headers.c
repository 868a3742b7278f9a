/* The public headers alone, as C11: nothing else may be needed before them. */
#include <weir/sql.h>
#include <weir/weir.h>

#include <assert.h>

static const weir_table greetings = {
    .name = "greetings",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "text", .type = WEIR_STRING }),
};

static size_t count_cells(const weir_cell *cells, size_t count)
{
    return cells != NULL ? count : 0;
}

int main(void)
{
    assert(greetings.column_count == 2 && greetings.columns[0].key);
    assert(count_cells(WEIR_CELLS(weir_long("id", 1), weir_null("text"))) == 2);
    return 0;
}
