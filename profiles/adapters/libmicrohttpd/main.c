#include <microhttpd.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *body, size_t *size, void **seen) {
    // It is called first with the header alone; an answer then is for good.
    int reads = strcmp(url, "/read") == 0 || strcmp(method, "POST") != 0;
    if (reads && *seen == NULL) { *seen = c; return MHD_YES; }
    if (reads && *size) { *size = 0; return MHD_YES; }
    if (strcmp(url, "/slow") == 0) sleep(2);
    struct MHD_Response *r = MHD_create_response_from_buffer(2, "ok", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result done = MHD_queue_response(c, MHD_HTTP_OK, r);
    MHD_destroy_response(r);
    return done;
}

int main(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT"))), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (!MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, answer, NULL,
                          MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_END)) return 1;
    for (;;) pause();
}
