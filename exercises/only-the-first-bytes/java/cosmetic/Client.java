import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** Asks one report service. It is safe for use by several threads. */
public class Client {
    private static final int SIZE = 16; // bytes of a version

    private final HttpRequest question;
    private final HttpClient client = HttpClient.newHttpClient();

    public Client(String address) {
        question = HttpRequest.newBuilder(URI.create(address)).timeout(Duration.ofSeconds(8)).build();
    }

    /** Reads the version: the first bytes of a report. */
    public void call() throws Exception {
        var answer = client.send(question, HttpResponse.BodyHandlers.ofInputStream());
        InputStream report = answer.body();
        try {
            if (answer.statusCode() != 200) {
                throw new IOException("ask for the report: " + answer.statusCode());
            }
            var version = new byte[SIZE];
            if (report.readNBytes(version, 0, SIZE) != SIZE) {
                throw new EOFException("the report has no version");
            }
        } finally {
            report.close();
        }
    }
}
