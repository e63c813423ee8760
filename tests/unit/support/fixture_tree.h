/* SPDX-License-Identifier: MIT */
/* A temporary directory with files in it, for tests of code that reads files below a root. */
#ifndef ECHOD_TESTS_UNIT_SUPPORT_FIXTURE_TREE_H
#define ECHOD_TESTS_UNIT_SUPPORT_FIXTURE_TREE_H

#define FIXTURE_TREE_SIZE 64

/* Makes an empty directory and writes its absolute path to root. What fails ends the test with a line. */
void fixture_tree_new(char root[FIXTURE_TREE_SIZE]);

/* Writes (or overwrites) root/path with the text; makes the directories on the way. path begins with a slash.
 */
void fixture_tree_write(const char *root, const char *path, const char *text);

/* Removes the directory with all that is in it. */
void fixture_tree_free(const char *root);

#endif
