#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t discard(char *data, size_t size, size_t n, void *user) { return size * n; }

int main(void) {
    char line[4096], number[32], url[4000];
    CURL *shared = curl_easy_init();
    curl_easy_setopt(shared, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(shared, CURLOPT_FOLLOWLOCATION, 1L);
    if (strcmp(getenv("SOCKETLAB_METHOD"), "POST") == 0) curl_easy_setopt(shared, CURLOPT_POSTFIELDS, "body");
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%31s %3999s", number, url) == 2) {
        curl_easy_setopt(shared, CURLOPT_URL, url);
        CURLcode code = curl_easy_perform(shared);
        if (code == CURLE_OK) printf("%s ok\n", number);
        else printf("%s CURLE_%d\n", number, code);
    }
    return 0;
}
