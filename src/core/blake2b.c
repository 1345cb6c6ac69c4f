#include "blake2b.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 128, ROUNDS = 12 };

/* RFC 7693 section 2.6. */
static const uint64_t initial[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b,
                                    0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                    0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                    0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/* RFC 7693 section 2.7; rounds 10 and 11 are rounds 0 and 1 again. */
static const unsigned char sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

struct work {
    uint64_t state[8], v[16], words[16];
    unsigned char block[BLOCK];
};

static uint64_t turned(uint64_t word, unsigned by)
{
    return word >> by | word << (64 - by);
}

static void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y)
{
    v[a] += v[b] + x;
    v[d] = turned(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = turned(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 63);
}

/* RFC 7693 section 3.2; `count` bytes have been taken, this block's too. */
static void compress(struct work *w, uint64_t count, bool last)
{
    for (int i = 0; i < 16; i++) {
        w->words[i] = 0;
        for (int k = 7; k >= 0; k--)
            w->words[i] = w->words[i] << 8 | w->block[8 * i + k];
    }
    memcpy(w->v, w->state, sizeof(w->state));
    memcpy(w->v + 8, initial, sizeof(initial));
    w->v[12] ^= count;
    if (last)
        w->v[14] = ~w->v[14];
    for (int round = 0; round < ROUNDS; round++) {
        const unsigned char *s = sigma[round % 10];
        const uint64_t *m = w->words;

        mix(w->v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
        mix(w->v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
        mix(w->v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
        mix(w->v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
        mix(w->v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
        mix(w->v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
        mix(w->v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
        mix(w->v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++)
        w->state[i] ^= w->v[i] ^ w->v[i + 8];
}

void weir_blake2b(const void *bytes, size_t len, unsigned char *out,
                  size_t size)
{
    const unsigned char *in = bytes;
    struct work w = {.block = {0}};
    size_t taken = 0;

    memcpy(w.state, initial, sizeof(initial));
    w.state[0] ^= 0x01010000 ^ (uint64_t)size;
    while (len - taken > BLOCK) {
        memcpy(w.block, in + taken, BLOCK);
        taken += BLOCK;
        compress(&w, taken, false);
    }
    memset(w.block, 0, BLOCK);
    if (len > taken)
        memcpy(w.block, in + taken, len - taken);
    compress(&w, len, true);
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(w.state[i / 8] >> 8 * (i % 8));
    explicit_bzero(&w, sizeof(w));
}
