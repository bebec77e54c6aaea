import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** Asks for the stock of an article. It is safe for use by several threads. */
public class Client {
    private final URI url;

    public Client(String url) {
        this.url = URI.create(url);
    }

    /** Asks once, over a connection of its own. */
    public void call() throws Exception {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(url.getHost(), url.getPort()), 300);
            socket.setSoTimeout(400);
            var request = "GET / HTTP/1.1\r\nHost: " + url.getAuthority() + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            var response = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!response.startsWith("HTTP/1.1 200")) {
                throw new IOException("the stock is not known");
            }
        }
    }
}
