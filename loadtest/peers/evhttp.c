/* SPDX-License-Identifier: MIT */
/* libevent's own HTTP server as a peer: one event loop. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void answer(struct evhttp_request *request, void *context)
{
    (void)context;
    struct evbuffer *body = evbuffer_new();
    if (evhttp_request_get_command(request) == EVHTTP_REQ_POST) {
        evbuffer_add_buffer(body, evhttp_request_get_input_buffer(request));
    } else {
        evbuffer_add_reference(body, "Hello, World!", 13, NULL, NULL);
    }
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain");
    evhttp_send_reply(request, HTTP_OK, "OK", body);
    evbuffer_free(body);
}

static void stop(int number)
{
    (void)number;
    exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);
    evhttp_set_gencb(http, answer, NULL);
    evhttp_set_timeout(http, 600);
    if (evhttp_bind_socket(http, "127.0.0.1", (ev_uint16_t)atoi(argc > 1 ? argv[1] : "0")) != 0) {
        perror("bind");
        return EXIT_FAILURE;
    }
    return event_base_dispatch(base) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
