#!/usr/bin/env bash
# Apache HttpClient 5 sends a POST again after 503 or 429, and waits as long as Retry-After says.
#
# Version   httpclient5 5.6.4 (libhttpclient5-java 5.6.4-1 of Debian unstable), OpenJDK 17.
# Expected  RFC 9110 9.2.2: a client SHOULD NOT automatically retry a request with a
#           non-idempotent method, and the client's retry strategy asks each request whether
#           it is idempotent. A POST is sent once, and the caller gets the 503 at once. A
#           response timeout of 2 s ends what takes longer.
# Real      A client as HttpClients.createDefault() builds it sends each POST again after 503 and
#           after 429, 1 s later, or when Retry-After says. The caller's thread sleeps in
#           execute() meanwhile, also for longer than the response timeout; no limit was
#           met up to Retry-After: 25. Where the server closes without an answer, the POST
#           is sent once and a GET twice: whether a method is idempotent counts for that only. A
#           body that is a stream is not sent again.
# Matters   A server that sheds load gets its POSTs twice, and one that writes and then answers 503,
#           or a proxy that does so after its time limit, has the order twice. A
#           server under maintenance says with Retry-After how long the callers' threads
#           stand, though the pool shows its connection as available. (The Javadoc of
#           the strategy names both codes, not that the method does not count.)
# Seen      POST, 503: 503 after 1 s, 2 requests
#           POST, 429: 429 after 1 s, 2 requests
#           POST, 500: 500 after 0 s, 1 request
#           POST of a stream, 503: 503 after 0 s, 1 request
#           POST, 503, Retry-After: 4, response timeout of 2 s: 503 after 4 s, 2 requests
#             meanwhile the pool has: leased 0, available 1
#           POST, no answer: NoHttpResponseException after 0 s, 1 request
#           GET, no answer: NoHttpResponseException after 0 s, 2 requests
# Run       2026-12-01, three times.
set -euo pipefail
if ! { command -v apt-get && command -v dpkg-deb && command -v javac; } >/dev/null; then
  echo "needs Debian's apt and a JDK" >&2
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need. The
# lists of unstable come from the mirror that apt uses here, and stay here.
mkdir -p debs/partial lists/partial none root
: >status
mirror=$(apt-get indextargets --format "\$(REPO_URI)" | grep -v security | sort -u | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >sources.list
apt=(-qq -o Dir::State::status="$work/status" -o Dir::State::Lists="$work/lists" -o Dir::Etc::sourcelist="$work/sources.list"
  -o Dir::Etc::sourceparts="$work/none" -o Dir::Etc::preferencesparts="$work/none" -o Dir::Cache::archives="$work/debs"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
if ! { apt-get update "${apt[@]}" && apt-get install "${apt[@]}" -y --no-install-recommends --download-only \
  libhttpclient5-java=5.6.4-1 libslf4j-java; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >Play.java <<'JAVA'
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.util.Timeout;

public class Play {
    static final AtomicInteger requests = new AtomicInteger();
    /** The status line and header that the server answers with; null: it closes instead. */
    static volatile String answer;

    static void serve(Socket socket) {
        try (socket; BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), "ISO-8859-1"))) {
            while (in.readLine() != null) {
                int length = 0;
                for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
                    if (line.toLowerCase().startsWith("content-length:")) {
                        length = Integer.parseInt(line.substring(15).trim());
                    }
                }
                for (; length > 0; length--) {
                    in.read();
                }
                requests.incrementAndGet();
                if (answer == null) {
                    return;
                }
                socket.getOutputStream().write(("HTTP/1.1 " + answer + "\r\nContent-Length: 4\r\n\r\nbusy").getBytes());
            }
        } catch (IOException e) {
            // the client has closed
        }
    }

    static ServerSocket listener;

    static void run(String name, String with, HttpEntity body, boolean watch) throws Exception {
        answer = with;
        requests.set(0);
        PoolingHttpClientConnectionManager pool = new PoolingHttpClientConnectionManager();
        RequestConfig config = RequestConfig.custom().setResponseTimeout(Timeout.ofSeconds(2)).build();
        HttpUriRequestBase request = new HttpUriRequestBase(name.substring(0, name.indexOf(body == null ? "," : body.isRepeatable() ? "," : " ")),
            java.net.URI.create("http://127.0.0.1:" + listener.getLocalPort() + "/"));
        request.setEntity(body);
        String[] seen = {null};
        Thread watcher = new Thread(() -> {
            while (requests.get() == 0 || pool.getTotalStats().getLeased() > 0) {
                Thread.onSpinWait();
            }
            seen[0] = "leased " + pool.getTotalStats().getLeased() + ", available " + pool.getTotalStats().getAvailable();
        });
        String said;
        long begin = System.nanoTime();
        try (CloseableHttpClient client = HttpClients.custom().setConnectionManager(pool).setDefaultRequestConfig(config).build()) {
            if (watch) {
                watcher.start();
            }
            said = "" + client.execute(request, response -> {
                EntityUtils.consume(response.getEntity());
                return response.getCode();
            });
        } catch (IOException e) {
            said = e.getClass().getSimpleName();
        }
        long seconds = Math.round((System.nanoTime() - begin) / 1e9 - 0.2);
        System.out.printf("%s: %s after %d s, %d request%s%n", name, said, seconds, requests.get(), requests.get() == 1 ? "" : "s");
        if (watch) {
            watcher.join(1000);
            System.out.println("  meanwhile the pool has: " + seen[0]);
        }
    }

    public static void main(String[] args) throws Exception {
        listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        Thread acceptor = new Thread(() -> {
            while (true) {
                try {
                    Socket socket = listener.accept();
                    Thread server = new Thread(() -> serve(socket));
                    server.setDaemon(true);
                    server.start();
                } catch (IOException e) {
                    return;
                }
            }
        });
        acceptor.setDaemon(true);
        acceptor.start();
        HttpClients.createDefault().close(); // the classes are loaded before the first clock
        run("POST, 503", "503 Service Unavailable", new StringEntity("pay"), false);
        run("POST, 429", "429 Too Many Requests", new StringEntity("pay"), false);
        run("POST, 500", "500 Internal Server Error", new StringEntity("pay"), false);
        run("POST of a stream, 503", "503 Service Unavailable",
            new InputStreamEntity(new ByteArrayInputStream(new byte[3]), 3, ContentType.TEXT_PLAIN), false);
        run("POST, 503, Retry-After: 4, response timeout of 2 s", "503 Service Unavailable\r\nRetry-After: 4", new StringEntity("pay"), true);
        run("POST, no answer", null, new StringEntity("pay"), false);
        run("GET, no answer", null, null, false);
    }
}
JAVA
jars=$work/root/usr/share/java
classes=$jars/httpclient5.jar:$jars/httpcore5.jar:$jars/httpcore5-h2.jar:$jars/slf4j-api.jar:$jars/slf4j-nop.jar
javac -cp "$classes" Play.java
timeout 60 java -XX:TieredStopAtLevel=1 -cp "$classes:." Play 2>err | tee seen || { cat err >&2; exit 1; }
diff - seen <<'SEEN'
POST, 503: 503 after 1 s, 2 requests
POST, 429: 429 after 1 s, 2 requests
POST, 500: 500 after 0 s, 1 request
POST of a stream, 503: 503 after 0 s, 1 request
POST, 503, Retry-After: 4, response timeout of 2 s: 503 after 4 s, 2 requests
  meanwhile the pool has: leased 0, available 1
POST, no answer: NoHttpResponseException after 0 s, 1 request
GET, no answer: NoHttpResponseException after 0 s, 2 requests
SEEN
