/* SPDX-License-Identifier: MIT */
/* Which handler answers a path and a method, and the refusals of the others. */
#include <criterion/criterion.h>

#include "common/handlers/routes.h"
#include "common/http/request_line.h"

enum { ANY_METHOD = -1 };

static const struct {
    const char *path;
    int method; /* ANY_METHOD: GET, HEAD, POST, OPTIONS and a rare one */
    const struct handler *handler;
    const char *parameter;
} found[] = {
    {"/plaintext", HTTP_GET, &plaintext_handler, ""},
    {"/plaintext", HTTP_HEAD, &plaintext_handler, ""},
    {"/", HTTP_GET, &index_handler, ""},
    {"/", HTTP_HEAD, &index_handler, ""},
    {"/", HTTP_POST, &echo_handler, ""},
    {"/", HTTP_OPTIONS, &echo_handler, ""},
    {"/", HTTP_MSEARCH, &echo_handler, ""},
    {"/echo", ANY_METHOD, &echo_handler, ""},
    {"/echo/", ANY_METHOD, &echo_handler, ""},
    {"/echo/a/../b", ANY_METHOD, &echo_handler, ""},
    {"/anything", ANY_METHOD, &anything_handler, ""},
    {"/anything/", ANY_METHOD, &anything_handler, ""},
    {"/anything/a/b", ANY_METHOD, &anything_handler, ""},
    {"/headers", HTTP_GET, &headers_handler, ""},
    {"/ip", HTTP_GET, &ip_handler, ""},
    {"/status/200", ANY_METHOD, &status_handler, "200"},
    {"/status/x", ANY_METHOD, &status_handler, "x"},
    {"/delay/0.2", ANY_METHOD, &delay_handler, "0.2"},
    {"/block/200ms", ANY_METHOD, &block_handler, "200ms"},
    {"/compute/1", ANY_METHOD, &compute_handler, "1"},
    {"/bytes/1", HTTP_GET, &bytes_handler, "1"},
    {"/bytes/1", HTTP_HEAD, &bytes_handler, "1"},
    {"/drip", HTTP_GET, &drip_handler, ""},
    {"/sse", HTTP_GET, &sse_handler, ""},
    {"/sse", HTTP_HEAD, &sse_handler, ""},
    {"/healthz", HTTP_GET, &healthz_handler, ""},
    {"/readyz", HTTP_HEAD, &readyz_handler, ""},
    {"/metrics", HTTP_GET, &metrics_handler, ""},
    {"/version", HTTP_GET, &version_handler, ""},
};

/* In a server that is never asked for memory. */
static const struct handler *find(const char *path, int method, struct request *request,
                                  struct response *response)
{
    static struct service all;
    all.routes = routes_all;
    *request = (struct request){.service = &all,
                                .path = {.data = path, .length = strlen(path)},
                                .parameter = SPAN_LITERAL(""),
                                .method = (uint8_t)method};
    response_init(response, (struct budget){0});
    return route_find(request, response);
}

static void expect_found(size_t row, int method)
{
    struct request request;
    struct response response;
    const struct handler *handler = find(found[row].path, method, &request, &response);
    cr_expect_eq(handler, found[row].handler, "%s %s", llhttp_method_name((llhttp_method_t)method),
                 found[row].path);
    if (found[row].parameter[0] != '\0') {
        cr_expect(span_equal(request.parameter, (struct span){.data = found[row].parameter,
                                                              .length = strlen(found[row].parameter)}),
                  "%s", found[row].path);
    }
    cr_expect(!response.problem && response.status == 200);
}

Test(route, found)
{
    static const int methods[] = {HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_QUERY};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        for (size_t j = 0; j < sizeof methods / sizeof methods[0]; j++) {
            if (found[i].method == ANY_METHOD) {
                expect_found(i, methods[j]);
            }
        }
        if (found[i].method != ANY_METHOD) {
            expect_found(i, found[i].method);
        }
    }
}

static const struct {
    const char *path;
    int method;
    unsigned status;
} refused[] = {
    {"/nowhere", HTTP_GET, 404},      {"/plaintex", HTTP_GET, 404},     {"/plaintext/", HTTP_GET, 404},
    {"/plaintexts", HTTP_POST, 404},  {"/Plaintext", HTTP_GET, 404},    {"/%65cho", HTTP_GET, 404},
    {"//echo", HTTP_GET, 404},        {"/./echo", HTTP_GET, 404},       {"/echoes", HTTP_GET, 404},
    {"/anythingelse", HTTP_GET, 404}, {"/status", HTTP_GET, 404},       {"/status/", HTTP_GET, 404},
    {"/status/200/", HTTP_GET, 404},  {"/status/200/1", HTTP_GET, 404}, {"/bytes/", HTTP_POST, 404},
    {"/drip/1", HTTP_GET, 404},       {"/plaintext", HTTP_POST, 405},   {"/headers", HTTP_PUT, 405},
    {"/ip", HTTP_DELETE, 405},        {"/bytes/1", HTTP_POST, 405},     {"/drip", HTTP_OPTIONS, 405},
    {"/healthz", HTTP_POST, 405},     {"/readyz", HTTP_PATCH, 405},     {"/metrics", HTTP_POST, 405},
    {"/version", HTTP_TRACE, 405},    {"/sse", HTTP_POST, 405},         {"/sse/", HTTP_GET, 404},
};

Test(route, refused)
{
    struct request request;
    struct response response;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        cr_expect_null(find(refused[i].path, refused[i].method, &request, &response));
        cr_expect(response.problem && response.status == refused[i].status, "%s: %u", refused[i].path,
                  response.status);
        bool probe = strcmp(refused[i].path, "/healthz") == 0 || strcmp(refused[i].path, "/readyz") == 0;
        struct span allow = probe ? SPAN_LITERAL("GET, HEAD, OPTIONS") : SPAN_LITERAL("GET, HEAD");
        cr_expect(span_equal(response.allow, refused[i].status == 405 ? allow : SPAN_LITERAL("")), "%s",
                  refused[i].path);
    }
}

/* With --admin-listen each path is on one side only. */
Test(route, offered)
{
    static const char *const admin[] = {"/metrics", "/healthz", "/readyz"};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        bool of_admin = false;
        for (size_t j = 0; j < sizeof admin / sizeof admin[0]; j++) {
            of_admin |= strcmp(found[i].path, admin[j]) == 0;
        }
        for (int to_admin = false; to_admin <= true; to_admin++) {
            struct service service = {.routes = to_admin ? routes_admin : routes_main};
            struct request request = {.service = &service,
                                      .path = {.data = found[i].path, .length = strlen(found[i].path)},
                                      .method = HTTP_GET};
            struct response response;
            response_init(&response, (struct budget){0});
            bool there = route_find(&request, &response) != NULL;
            cr_expect_eq(there, of_admin == to_admin, "%s", found[i].path);
            cr_expect_eq(response.status, there ? 200 : 404, "%s", found[i].path);
        }
    }
}

/* RFC 9110, 9.3.7 */
Test(route, options_of_the_server)
{
    struct request request;
    struct response response;
    const struct handler *handler = find("*", HTTP_OPTIONS, &request, &response);
    cr_assert_not_null(handler);
    handler->begin(&request, &response);
    cr_expect_eq(response.status, 204);
    cr_expect(span_equal(response.allow, request_line_methods()));
}

/* Each route leads to itself, and each handler fills what its kind needs. */
Test(route, table)
{
    size_t count = 0;
    for (const struct route *route = routes_all.rows; route->handler != NULL; route++, count++) {
        const struct handler *handler = route->handler;
        cr_expect_not_null(handler->begin);
        cr_expect_eq(handler->body == HANDLER_HOLDS, handler->finish != NULL, "%s", route->path.data);
        cr_expect_eq(route->path.data[0], '/');
        cr_expect_eq(strlen(route->path.data), route->path.length);
        cr_expect_eq(route->match == ROUTE_PARAMETER,
                     count > 0 && route->path.length > 1 && route->path.data[route->path.length - 1] == '/');
    }
    cr_expect_geq(count, 15);
}
