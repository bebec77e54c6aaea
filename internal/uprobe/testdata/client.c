// The program leaves five connections open, all of them dialled in line 18.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int port;

static void fail(const char *what) {
	perror(what);
	exit(1);
}

static __attribute__((noinline)) int dial(void) {
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		fail("connect");
	return fd;
}

static __attribute__((noinline)) void orders(void) {
	for (int i = 0; i < 5; i++)
		if (dial() < 0)
			fail("dial");
}

int main(int argc, char **argv) {
	char byte;
	if (argc < 2)
		return 2;
	port = atoi(argv[1]);
	puts("ready");
	fflush(stdout);
	if (read(0, &byte, 1) != 1)
		fail("read");
	orders();
	puts("done");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
