/* SPDX-License-Identifier: MIT */
/* Reading one line, one number, the entries of a directory, and what is not there. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "server/system/sysfile.h"
#include "tests/unit/support/fixture_tree.h"

static char root[FIXTURE_TREE_SIZE];

static void make_root(void)
{
    fixture_tree_new(root);
}

static void remove_root(void)
{
    fixture_tree_free(root);
}

TestSuite(sysfile, .init = make_root, .fini = remove_root);

Test(sysfile, line)
{
    char line[8];
    fixture_tree_write(root, "/dir/two", "one\ntwo\n");
    fixture_tree_write(root, "/long", "0123456789\n");
    fixture_tree_write(root, "/empty", "");
    fixture_tree_write(root, "/open", "open");
    cr_assert(sysfile_line(root, "/dir/two", line, sizeof(line)));
    cr_assert_str_eq(line, "one");
    cr_assert(sysfile_line(root, "/long", line, sizeof(line)));
    cr_assert_str_eq(line, "0123456");
    cr_assert(sysfile_line(root, "/open", line, sizeof(line)));
    cr_assert_str_eq(line, "open");
    cr_assert_not(sysfile_line(root, "/empty", line, sizeof(line)));
    cr_assert_not(sysfile_line(root, "/none", line, sizeof(line)));
}

Test(sysfile, number)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t number;
    } cases[] = {
        {"0\n", true, 0},   {"32768\n", true, 32768}, {"18446744073709551615", true, UINT64_MAX},
        {"-1\n", false, 0}, {"max\n", false, 0},      {"1 2\n", false, 0},
        {"\n", false, 0},   {"", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t number = 0;
        fixture_tree_write(root, "/number", cases[i].text);
        cr_expect_eq(sysfile_number(root, "/number", &number), cases[i].good, "%s", cases[i].text);
        cr_expect_eq(number, cases[i].number, "%s", cases[i].text);
    }
}

Test(sysfile, entries)
{
    fixture_tree_write(root, "/dir/a", "");
    fixture_tree_write(root, "/dir/.b", "");
    fixture_tree_write(root, "/dir/sub/c", "");
    cr_assert_eq(sysfile_entries(root, "/dir"), 3u);
    cr_assert_eq(sysfile_entries(root, "/none"), 0u);
    cr_assert_eq(sysfile_entries(root, "/dir/a"), 0u);
}

Test(sysfile, a_path_that_is_too_long_is_no_file)
{
    char *path = malloc(PATH_MAX + 1);
    cr_assert_not_null(path);
    memset(path, '/', PATH_MAX);
    path[PATH_MAX] = '\0';
    cr_assert_null(sysfile_open(root, path));
    cr_assert_eq(sysfile_entries(root, path), 0u);
    free(path);
}
