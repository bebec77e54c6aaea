import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

/**
 * Starts Main when the classes of the JDK's two clients are loaded, which takes up to some seconds
 * in which the first requests would wait.
 */
public class Warm {
    /**
     * Makes a request with each of the two, to a server of our own. Static code of Client has run
     * before, as it may set properties that they read only once.
     */
    public static void main(String[] args) throws Exception {
        Class.forName("Client");
        try (var server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
            var answers = new Thread(() -> answer(server));
            answers.setDaemon(true);
            answers.start();
            var uri = URI.create("http://127.0.0.1:" + server.getLocalPort() + "/");
            HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding());
            ((HttpURLConnection) uri.toURL().openConnection()).getInputStream().close();
        }
        Main.main(args);
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
}
