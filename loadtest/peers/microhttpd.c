/* SPDX-License-Identifier: MIT */
/* GNU libmicrohttpd as a peer: one epoll loop, or with the argument `threads` a thread for each connection. */
#include <microhttpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The body of a POST as it comes. */
struct body {
    char *data;
    size_t length;
    size_t capacity;
};

static enum MHD_Result send_body(struct MHD_Connection *connection, size_t length, void *data,
                                 enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(length, data, mode);
    MHD_add_response_header(response, "Content-Type", "text/plain");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result keep(struct body *body, const char *data, size_t size)
{
    if (body->length + size > body->capacity) {
        body->capacity = 2 * (body->length + size);
        char *larger = realloc(body->data, body->capacity);
        if (larger == NULL) {
            return MHD_NO;
        }
        body->data = larger;
    }
    memcpy(body->data + body->length, data, size);
    body->length += size;
    return MHD_YES;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    (void)context;
    (void)url;
    (void)version;
    struct body *body = *state;
    if (body == NULL) { /* the head is here: it wants to be called again */
        *state = calloc(1, sizeof(*body));
        return *state == NULL ? MHD_NO : MHD_YES;
    }
    if (strcmp(method, "GET") == 0) {
        return send_body(connection, 13, (void *)"Hello, World!", MHD_RESPMEM_PERSISTENT);
    }
    if (*upload_size > 0) {
        size_t size = *upload_size;
        *upload_size = 0;
        return keep(body, upload, size);
    }
    void *data = body->data;
    body->data = NULL;
    return send_body(connection, body->length, data, MHD_RESPMEM_MUST_FREE);
}

static void forget(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    struct body *body = *state;
    if (body != NULL) {
        free(body->data);
        free(body);
    }
}

int main(int argc, char **argv)
{
    bool threads = argc > 2 && strcmp(argv[2], "threads") == 0;
    unsigned flags = threads ? MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL
                             : MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_EPOLL;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(flags, (uint16_t)atoi(argc > 1 ? argv[1] : "0"), NULL, NULL, answer, NULL,
                         MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_CONNECTION_LIMIT, 19000u,
                         MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u, MHD_OPTION_THREAD_STACK_SIZE,
                         (size_t)128 << 10, MHD_OPTION_END);
    if (daemon == NULL) {
        perror("MHD_start_daemon");
        return EXIT_FAILURE;
    }
    int number;
    sigwait(&ends, &number);
    exit(EXIT_SUCCESS);
}
