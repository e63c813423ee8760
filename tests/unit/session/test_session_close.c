/* SPDX-License-Identifier: MIT */
/* How a connection ends after its last answer, and an answer that waits before it begins. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/support/transcript.h"

#define LAST "GET /plaintext HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

enum { BODY = 100000 };

struct fixture {
    struct harness harness;
    struct transcript t;
    struct drive drive;
};

static struct fixture *fixture_new(void)
{
    struct fixture *f = malloc(sizeof *f);
    cr_assert_not_null(f);
    harness_init(&f->harness, 16 << 20);
    drive_init(&f->drive, &f->harness, &f->t, REFUSAL_NOT);
    return f;
}

static void fixture_free(struct fixture *f)
{
    drive_deinit(&f->drive);
    cr_expect_str_empty(f->t.problem, "%s", f->t.problem);
    transcript_free(&f->t);
    harness_deinit(&f->harness);
    free(f);
}

/* All bytes are answered: the connection may close at once. */
Test(session_close, nothing_after_the_last_request)
{
    struct fixture *f = fixture_new();
    drive_pass(&f->drive, TEXT(LAST));
    cr_expect_eq(f->t.wants, WANT_CLOSE);
    cr_expect_eq(f->t.close_mode, CLOSE_NOW);
    fixture_free(f);
}

/* Bytes after the last request would cause an RST, which may destroy the answer. */
Test(session_close, bytes_after_the_last_request)
{
    struct fixture *f = fixture_new();
    drive_pass(&f->drive, TEXT(LAST "x"));
    cr_expect_eq(f->t.wants, WANT_CLOSE);
    cr_expect_eq(f->t.close_mode, CLOSE_LINGERING);
    fixture_free(f);
}

/* `delay=` counts for a body that is so large that its answer begins before it ends. */
Test(session_close, a_large_echo_waits_before_it_begins)
{
    struct fixture *f = fixture_new();
    char *body = malloc(BODY);
    cr_assert_not_null(body);
    memset(body, 'x', BODY);
    drive_pass(&f->drive, TEXT("POST /echo?delay=1s HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"));
    drive_pass(&f->drive, (struct span){.data = body, .length = BODY - 1});
    cr_expect_eq(f->t.wants, WANT_WAIT, "wants %u", f->t.wants);
    cr_expect_eq(f->t.length, 0, "%zu bytes of the answer", f->t.length);
    free(body);
    fixture_free(f);
}
