#include "weir/etag.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 9110 section 8.8.3: etagc = %x21 / %x23-7E / obs-text. */
static bool is_opaque(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c <= 0x20 || c == '"' || c == 0x7F)
            return false;
    }
    return true;
}

enum tag { TAG_NONE, TAG_WEAK, TAG_BROKEN, TAG_STRONG };

/* Reads one ETag as a server may write it: quoted, bare, or weak. */
static enum tag read_tag(const char *text, size_t len, struct weir_buf *out)
{
    while (len > 0 && (*text == ' ' || *text == '\t'))
        text++, len--;
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    if (len == 0)
        return TAG_NONE;
    /* "W/" is case-sensitive by the grammar; a server that writes "w/" means
     * the same, and a strong tag beginning so would be quoted. */
    if (len >= 2 && strncasecmp(text, "W/", 2) == 0)
        return TAG_WEAK;
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"')
        text++, len -= 2;
    if (!is_opaque(text, len))
        return TAG_BROKEN;
    weir_buf_reset(out);
    weir_buf_addc(out, '"');
    weir_buf_add(out, text, len);
    weir_buf_addc(out, '"');
    return TAG_STRONG;
}

static enum tag read_body_tag(const struct weir_json *body,
                              struct weir_buf *out)
{
    const struct weir_json *member = weir_json_get(body, "etag");
    size_t len;
    const char *text = weir_json_string(member, &len);

    /* Some servers number their versions, and mean the digits. */
    if (!text)
        text = weir_json_number(member, &len);
    return text ? read_tag(text, len, out) : TAG_NONE;
}

enum weir_code weir_etag_of(const struct weir_http_response *response,
                            const struct weir_json *body, struct weir_buf *out,
                            struct weir_err *err)
{
    const char *header =
        response ? weir_http_header(response, "ETag", 0) : NULL;
    enum tag in_header, in_body = TAG_NONE;

    in_header = header ? read_tag(header, strlen(header), out) : TAG_NONE;
    /* A proxy that compresses makes the header weak, and leaves the body's
     * own tag, which is the one the server compares. */
    if (in_header != TAG_STRONG)
        in_body = read_body_tag(body, out);
    if (in_header == TAG_STRONG || in_body == TAG_STRONG)
        return weir_buf_err(out, "an ETag", err);
    if (in_header == TAG_WEAK || in_body == TAG_WEAK)
        return weir_err_set(err, WEIR_PROTOCOL,
                            "the server gives only a weak ETag, which "
                            "If-Match may not carry");
    if (in_header == TAG_BROKEN || in_body == TAG_BROKEN)
        return weir_err_set(err, WEIR_PROTOCOL,
                            "the server's ETag holds characters that no ETag "
                            "may have");
    return weir_err_set(err, WEIR_PROTOCOL,
                        "the server gives no ETag, neither as a header nor as "
                        "a member 'etag'");
}
