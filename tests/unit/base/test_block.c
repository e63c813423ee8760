/* SPDX-License-Identifier: MIT */
/* Sixteen bytes at once: the masks, and runs of them. */
#include <criterion/criterion.h>

#include "common/base/block.h"

Test(block, mask_has_a_bit_for_each_byte)
{
    for (unsigned i = 0; i < BLOCK_SIZE; i++) {
        for (int c = 0; c < 256; c++) {
            char bytes[BLOCK_SIZE + 1];
            memset(bytes, c == 'x' ? 'y' : 'x', sizeof bytes);
            bytes[1 + i] = (char)c;
            cr_expect_eq(block_mask(block_load(bytes + 1) == (signed char)c), 1u << i, "0x%02x at %u",
                         (unsigned)c, i);
        }
    }
}

Test(block, from_0x80_is_below_all)
{
    static const char bytes[BLOCK_SIZE] = "\x80\xff\x7f 0az";
    cr_expect_eq(block_mask(block_load(bytes) < 0), 3);
    cr_expect_eq(block_mask(block_load(bytes) > '`'), 1u << 2 | 1u << 5 | 1u << 6);
}

Test(block, run)
{
    cr_expect_eq(block_run(0), 0);
    cr_expect_eq(block_run(6), 0);
    cr_expect_eq(block_run(7), 3);
    cr_expect_eq(block_run(0xffff), BLOCK_SIZE);
}
