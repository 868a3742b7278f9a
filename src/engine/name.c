/*
 * engine/name: utf8proc knows letters, cases and accents; what is written in which ASCII stands here, as the
 * known algorithm's own transliteration has it, for the scripts that names are most often written in.
 */
#include "engine/name.h"

#include <string.h>
#include <utf8proc.h>

#include "base/limits.h"

/* One code point may decompose into 18; the longest text of one is "Shch". */
#define POINTS_MAX (18 * WEIR_NAME_SIZE_MAX)

/*
 * Character, '=', its text; what is no word in the text ends as '_' and stands as such. A letter with an
 * accent has lost it before it is looked up.
 */
static const char ascii_texts[] =
    "¢=C_ £=PS ¥=Y_ §=SS ©=_c_ ª=a ®=_r_ °=deg ²=2 ³=3 µ=u ¶=P ¹=1 º=o ¼=_1_4 ½=_1_2 ¾=_3_4 "
    "Æ=AE Ð=D ×=x Ø=O Þ=Th ß=ss æ=ae ð=d ø=o þ=th Đ=D đ=d Ħ=H ħ=h ı=i Ĳ=IJ ĳ=ij ĸ=k Ŀ=L ŀ=l Ł=L ł=l ŉ=_n "
    "Ŋ=NG ŋ=ng Œ=OE œ=oe Ŧ=T ŧ=t ſ=s Ɖ=D Ɗ=D Ə=_ ə=_ ƒ=f Ǆ=DZ ǅ=Dz ǆ=dz Ǉ=LJ ǈ=Lj ǉ=lj Ǌ=NJ ǋ=Nj ǌ=nj "
    "Ǳ=DZ ǲ=Dz ǳ=dz ẞ=SS "
    "Α=A Β=B Γ=G Δ=D Ε=E Ζ=Z Η=E Θ=Th Ι=I Κ=K Λ=L Μ=M Ν=N Ξ=Ks Ο=O Π=P Ρ=R Σ=S Τ=T Υ=U Φ=Ph Χ=Kh Ψ=Ps Ω=O "
    "α=a β=b γ=g δ=d ε=e ζ=z η=e θ=th ι=i κ=k λ=l μ=m ν=n ξ=x ο=o π=p ρ=r ς=s σ=s τ=t υ=u φ=ph χ=kh ψ=ps "
    "ω=o "
    "Ђ=Dj Є=Ie Ѕ=Dz І=I Ј=J Љ=Lj Њ=Nj Ћ=Tsh Џ=Dzh А=A Б=B В=V Г=G Д=D Е=E Ж=Zh З=Z И=I К=K Л=L М=M Н=N О=O "
    "П=P Р=R С=S Т=T У=U Ф=F Х=Kh Ц=Ts Ч=Ch Ш=Sh Щ=Shch Ъ=_ Ы=Y Ь=_ Э=E Ю=Iu Я=Ia "
    "а=a б=b в=v г=g д=d е=e ж=zh з=z и=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch ш=sh "
    "щ=shch ъ=_ ы=y ь=_ э=e ю=iu я=ia ђ=dj є=ie ѕ=dz і=i ј=j љ=lj њ=nj ћ=tsh џ=dzh Ґ=G_ ґ=g_ Ә=_ ә=_ "
    "₠=ECU ₢=Cr ₥=mil ₧=Pts ₯=Dr ₰=Pf ₳=A ₶=L ₷=Sm ₻=M ⅐=_1_7_ ⅑=_1_9_ ⅒=_1_10_ "
    "⅕=_1_5_ "
    "⅖=_2_5_ "
    "⅗=_3_5_ "
    "⅘=_4_5_ "
    "⅙=_1_6_ ⅚=_5_6_ ⅟=_1_ ẚ=a "
    "₡=CL ₣=FF ₤=L ₦=N ₨=Rs ₩=W ₪=NS ₫=D €=EUR ₭=K ₮=T ₱=P ₲=G ₴=UAH ₵=C_ ₸=T ₹=Rs ₺=L "
    "₼=m "
    "₽=R "
    "₾=l "
    "₿=BTC "
    "℃=degC ℉=degF №=No_ ℗=_p_ ™=_tm_ ⅓=_1_3_ ⅔=_2_3_ ⅛=_1_8_ ⅜=_3_8_ ⅝=_5_8_ ⅞=_7_8_ ";

/* The text of a character; NULL when there is none. */
static const char *ascii_text(int32_t point, size_t *size)
{
    char wanted[5];
    size_t length = (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)wanted);
    const char *found;

    wanted[length] = '\0';
    found = strstr(ascii_texts, wanted);
    if (found == NULL)
        return NULL;
    found += length + 1;
    *size = strcspn(found, " ");
    return found;
}

/* A letter, a digit or another number, or '_'. */
static bool is_word(int32_t point)
{
    utf8proc_category_t category;

    if (point < 0x80)
        return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z') ||
               (point >= '0' && point <= '9') || point == '_';
    category = utf8proc_category(point);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/* Digits that are no decimal ones: raised, lowered and circled. */
static const int32_t other_digits[][2] = { { 0xB2, 0xB3 },     { 0xB9, 0xB9 },     { 0x1369, 0x1371 },
                                           { 0x19DA, 0x19DA }, { 0x2070, 0x2070 }, { 0x2074, 0x2079 },
                                           { 0x2080, 0x2089 }, { 0x2460, 0x2468 }, { 0x2474, 0x247C },
                                           { 0x2488, 0x2490 }, { 0x24EA, 0x24EA }, { 0x24F5, 0x24FD },
                                           { 0x24FF, 0x24FF }, { 0x2776, 0x277E }, { 0x2780, 0x2788 },
                                           { 0x278A, 0x2792 } };

static bool is_digit(int32_t point)
{
    if (point < 0x80)
        return point >= '0' && point <= '9';
    for (size_t i = 0; i < sizeof other_digits / sizeof other_digits[0]; i++)
        if (point >= other_digits[i][0] && point <= other_digits[i][1])
            return true;
    return utf8proc_category(point) == UTF8PROC_CATEGORY_ND;
}

static bool is_upper(int32_t point)
{
    return utf8proc_category(point) == UTF8PROC_CATEGORY_LU;
}

static bool is_lower(int32_t point)
{
    return point == 0xAA || point == 0xBA || utf8proc_category(point) == UTF8PROC_CATEGORY_LL;
}

/* True when the name has a character that step 1 minds. */
static bool wants_ascii(const int32_t *points, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_word(points[i]) && points[i] != '.' && points[i] != '-')
            return true;
    return false;
}

/* Step 1, in place; `points` has room for POINTS_MAX. Returns the new count. */
static size_t drop_accents(weir_bytes source, int32_t *points)
{
    utf8proc_ssize_t count = utf8proc_decompose(
        (const utf8proc_uint8_t *)source.data, (utf8proc_ssize_t)source.size, points,
        (utf8proc_ssize_t)POINTS_MAX, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE);
    size_t kept = 0;

    for (utf8proc_ssize_t i = 0; i < count; i++) {
        const utf8proc_property_t *property = utf8proc_get_property(points[i]);

        if (property->combining_class == 0 && property->category != UTF8PROC_CATEGORY_CF)
            points[kept++] = points[i];
    }
    count = utf8proc_normalize_utf32(points, (utf8proc_ssize_t)kept, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    return count < 0 ? 0 : (size_t)count;
}

/* What has been written, and what was before it: steps 2 to 4, character by character. */
typedef struct writer {
    weir_buf *out;
    size_t start;
    int32_t before; /* 0: nothing yet */
} writer;

static bool put_underscore(writer *w)
{
    if (w->out->size > w->start && w->out->data[w->out->size - 1] == '_')
        return true;
    return weir__buf_put(w->out, "_", 1);
}

static bool put_point(writer *w, int32_t point)
{
    char text[8];
    bool parted;

    if (!is_word(point))
        point = '_';
    parted = w->before != 0 &&
             ((is_lower(w->before) && is_upper(point)) || is_digit(w->before) != is_digit(point));
    w->before = point;
    if ((parted || point == '_') && !put_underscore(w))
        return false;
    if (point == '_')
        return true;
    point = utf8proc_tolower(point);
    return weir__buf_put(w->out, text, (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)text));
}

static bool put_all(writer *w, const int32_t *points, size_t count, bool ascii)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        const char *text = ascii && points[i] >= 0x80 ? ascii_text(points[i], &size) : NULL;
        bool fine = text != NULL || put_point(w, points[i]);

        for (size_t k = 0; fine && k < size; k++)
            fine = put_point(w, text[k]);
        if (!fine)
            return false;
    }
    return true;
}

/* Step 5. Only ever one '_' is in front. */
static void drop_underscore(const writer *w)
{
    char *text = w->out->data + w->start;
    size_t size = w->out->size - w->start;

    if (size < 2 || text[0] != '_' || text[1] < 'a' || text[1] > 'z')
        return;
    memmove(text, text + 1, size - 1);
    w->out->size--;
}

static weir_status no_memory(weir_buf *out, size_t start, weir_error *err)
{
    out->size = start;
    return weir__error_memory(err, "naming a table");
}

weir_status engine_name_put(weir_bytes source, engine_name_kind kind, plan_naming naming, weir_buf *out,
                            weir_error *err)
{
    int32_t points[POINTS_MAX];
    writer w = { .out = out, .start = out->size };
    utf8proc_ssize_t decoded;
    size_t count;
    bool ascii;

    if (naming == PLAN_SOURCE_NAMING)
        return weir__buf_put(out, source.data, source.size) ? WEIR_OK : no_memory(out, w.start, err);
    decoded = utf8proc_decompose((const utf8proc_uint8_t *)source.data, (utf8proc_ssize_t)source.size, points,
                                 (utf8proc_ssize_t)POINTS_MAX, 0);
    count = decoded < 0 ? 0 : (size_t)decoded;
    ascii = wants_ascii(points, count);
    if (ascii)
        count = drop_accents(source, points);
    if (!put_all(&w, points, count, ascii))
        return no_memory(out, w.start, err);
    if (out->size == w.start && !weir__buf_put(out, "_", 1)) /* there was nothing but accents */
        return no_memory(out, w.start, err);
    if (kind == ENGINE_NAME_TABLE)
        drop_underscore(&w);
    return WEIR_OK;
}
