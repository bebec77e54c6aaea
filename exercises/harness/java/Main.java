import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The program around your client. You need not change it, and "check" uses its own copy.
 *
 * <p>It reads lines such as "17 http://127.0.0.1:40001/", makes a request for each, and writes
 * "17 ok", or "17" and the name of an error. First it writes "ready".
 */
public class Main {
    /** Requests in progress at once. Threads are started when they are needed. */
    private static final int THREADS = 400;

    public static void main(String[] args) throws Exception {
        var threads =
                new ThreadPoolExecutor(
                        0,
                        THREADS,
                        10,
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        new ThreadPoolExecutor.CallerRunsPolicy());
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        var lines = new BufferedReader(new InputStreamReader(System.in));
        loadClasses();
        out.println("ready");
        Client client = null;
        for (String line; (line = lines.readLine()) != null; ) {
            var request = line.trim().split(" ");
            if (request.length < 2) {
                continue;
            }
            if (client == null) {
                client = new Client(request[1]);
            }
            var calls = client;
            threads.execute(() -> out.println(request[0] + " " + outcome(calls)));
        }
        System.exit(0); // also while a request never ends
    }

    /**
     * Makes a request with each of the two clients of the JDK, to a server of our own: their
     * classes take up to some seconds to load, in which the first requests would wait. Static
     * code of Client has run before, as it may set properties that they read only once.
     */
    private static void loadClasses() throws Exception {
        Class.forName("Client");
        try (var server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
            var answers = new Thread(() -> answer(server));
            answers.setDaemon(true);
            answers.start();
            var uri = URI.create("http://127.0.0.1:" + server.getLocalPort() + "/");
            HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding());
            ((HttpURLConnection) uri.toURL().openConnection()).getInputStream().close();
        }
    }

    /** Answers one request on each connection, until the server is closed. */
    private static void answer(ServerSocket server) {
        while (!server.isClosed()) {
            try (var connection = server.accept()) {
                var request = new BufferedReader(new InputStreamReader(connection.getInputStream()));
                for (String line; (line = request.readLine()) != null && !line.isEmpty(); ) {}
                connection
                        .getOutputStream()
                        .write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
                // The next connection, or the end.
            }
        }
    }

    private static String outcome(Client client) {
        try {
            client.call();
            return "ok";
        } catch (Throwable e) {
            return name(e);
        }
    }

    /** Says in one word how a request ended. The cause is often wrapped. */
    private static String name(Throwable error) {
        for (; error != null; error = error.getCause()) {
            if (error instanceof HttpTimeoutException
                    || error instanceof SocketTimeoutException
                    || error instanceof TimeoutException) {
                return "timeout";
            }
            var text = String.valueOf(error.getMessage());
            if (text.contains("Too many open files")) {
                return "too_many_open_files";
            }
            if (text.contains("Connection reset")) {
                return "reset";
            }
            if (error instanceof ConnectException) {
                return "refused";
            }
        }
        return "other";
    }
}
