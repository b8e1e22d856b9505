/* A decoder of a small run-length format, such as have been written for thirty years: it believes what it reads.
 *
 * The format: "RLE1", then width, height and the number of runs, four bytes each with the least first, then the runs:
 * a length and a color (red, green, blue), one byte each. The runs are repeated until the image is full, so that a
 * pattern is short.
 *
 * Its mistakes are on purpose, and marked. They are the ones for which image decoders are known. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 16, RUN = 4 };

enum { RLE_DONE = 0, RLE_FOREIGN = 1, RLE_TRUNCATED = 2 };

struct rle_image {
    uint32_t width;
    uint32_t height;
    uint8_t *pixels; /* three bytes each; to be given to rle_free */
};

static uint32_t number_at(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

int rle_decode(const uint8_t *data, size_t len, struct rle_image *image)
{
    if (len < 4 || memcmp(data, "RLE1", 4) != 0)
        return RLE_FOREIGN;
    if (len < HEADER)
        return RLE_TRUNCATED;
    uint32_t width = number_at(data + 4), height = number_at(data + 8), runs = number_at(data + 12);
    if (runs == 0 || (len - HEADER) / RUN < runs)
        return RLE_TRUNCATED;

    /* Mistake: the product is one of 32 bits. An image of 65536 by 65536 pixels is given no memory at all. */
    uint32_t room = width * height * 3;
    /* Mistake: whatever the header says is asked for, and there is no look at whether it was given. */
    uint8_t *pixels = malloc(room);
    size_t count = (size_t)width * height;
    /* The background is white. It is as large as the image, whatever the room. */
    memset(pixels, 0xff, count * 3);

    const uint8_t *first = data + HEADER;
    size_t done = 0;
    /* Mistake: if no run has a length, this never ends. */
    for (uint32_t run = 0; done < count; run = (run + 1) % runs) {
        const uint8_t *this = first + (size_t)run * RUN;
        for (uint8_t left = this[0]; left > 0 && done < count; left--, done++)
            memcpy(pixels + done * 3, this + 1, 3);
    }
    image->width = width;
    image->height = height;
    image->pixels = pixels;
    return RLE_DONE;
}

void rle_free(struct rle_image *image)
{
    free(image->pixels);
    image->pixels = NULL;
}
