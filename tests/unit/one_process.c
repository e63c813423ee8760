/* SPDX-License-Identifier: MIT */
/*
 * In place of Criterion's library: the tests of a program one after the other, in one process. Criterion starts the program anew for
 * each test, which takes Valgrind more than a second each time. Here a crash ends the program, and ctest limits its time; of a test's
 * options there are init, fini and timeout.
 */
#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum outcome { PASSED, FAILED, SKIPPED };

/* Where the linker has put what Test() and TestSuite() declare; there is nothing where a program has none of them. */
extern struct criterion_test *__start_cr_tst[] __attribute__((weak)), *__stop_cr_tst[] __attribute__((weak));
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak)), *__stop_cr_sts[] __attribute__((weak));

struct criterion_options criterion_options;
static const struct criterion_test *test;
static enum outcome outcome;
static jmp_buf end_of_test;
static _Thread_local bool in_test; /* this thread is in a test's function, where end_of_test leads */

static const struct criterion_test_extra_data *suite_options(void)
{
    static const struct criterion_test_extra_data none;
    for (struct criterion_suite **suite = __start_cr_sts; suite < __stop_cr_sts; suite++) {
        if (strcmp((*suite)->name, test->category) == 0) {
            return (*suite)->data;
        }
    }
    return &none;
}

static void call(void (*function)(void))
{
    if (function != NULL) {
        function();
    }
}

void criterion_internal_test_setup(void)
{
    call(suite_options()->init);
    call(test->data->init);
}

void criterion_internal_test_main(void (*function)(void))
{
    in_test = true;
    if (setjmp(end_of_test) == 0) {
        function();
    }
    in_test = false;
}

/* From a thread that the test has started, and from an init or a fini, no longjmp() leads to the end of the test. */
static _Noreturn void leave_test(void)
{
    if (!in_test) {
        fflush(stdout); /* what was false */
        fprintf(stderr, "%s/%s: only the test's own function, in its first thread, can end the test\n",
                test->category, test->name);
        abort();
    }
    longjmp(end_of_test, 1);
}

void criterion_internal_test_teardown(void)
{
    call(test->data->fini);
    call(suite_options()->fini);
}

void criterion_send_assert(struct criterion_assert_stats *assertion)
{
    printf("%s:%u: %s\n", assertion->file, assertion->line, assertion->message);
}

void cri_asserts_passed_incr(void) {}

void criterion_continue_test(void)
{
    outcome = FAILED;
}

void criterion_abort_test(void)
{
    outcome = FAILED;
    leave_test();
}

void criterion_skip_test(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    outcome = SKIPPED;
    leave_test();
}

/* What stands behind the kinds of assertions is the text of what is false. */
char *cr_translate_assert_msg(int kind, ...)
{
    (void)kind;
    va_list arguments;
    va_start(arguments, kind);
    char *message = strdup(va_arg(arguments, const char *));
    va_end(arguments);
    return message;
}

int cr_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(text, format, arguments);
    va_end(arguments);
    return length;
}

void cr_asprintf_free(char *text)
{
    free(text);
}

int main(void)
{
    static const char *const words[] = {[PASSED] = "ok", [FAILED] = "FAILED", [SKIPPED] = "skipped"};
    size_t failed = 0;
    if (__stop_cr_tst - __start_cr_tst == 0) {
        fputs("there are no tests in this program\n", stderr);
        return EXIT_FAILURE;
    }
    for (struct criterion_test **at = __start_cr_tst; at < __stop_cr_tst; at++) {
        test = *at;
        outcome = PASSED;
        test->test();
        printf("%s %s/%s\n", words[outcome], test->category, test->name);
        fflush(stdout);
        failed += outcome == FAILED;
    }
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
