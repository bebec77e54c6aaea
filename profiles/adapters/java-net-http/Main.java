import java.net.URI;
import java.net.http.*;
import java.util.*;

public class Main {
    static final boolean POST = System.getenv("SOCKETLAB_METHOD").equals("POST"), READ = System.getenv("SOCKETLAB_BODY").equals("read"), SHARED = System.getenv("SOCKETLAB_CLIENT").equals("shared");
    static final HttpClient shared = client();
    static final List<Object> kept = new ArrayList<>();

    static HttpClient client() {
        return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).followRedirects(HttpClient.Redirect.ALWAYS).build();
    }

    static int call(String url) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).method(POST ? "POST" : "GET", POST ? HttpRequest.BodyPublishers.ofString("body") : HttpRequest.BodyPublishers.noBody()).build();
        var client = SHARED ? shared : client();
        if (READ) {
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        }
        var response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        response.body().close();
        return response.statusCode();
    }

    public static void main(String[] args) {
        for (var lines = new java.util.Scanner(System.in); lines.hasNextLine(); ) {
            var line = lines.nextLine().split(" ");
            Thread call = new Thread(() -> {
                String how;
                try {
                    int status = call(line[1]);
                    how = status < 400 ? "ok" : "HTTP_" + status;
                } catch (Exception e) {
                    how = e.getClass().getSimpleName();
                }
                System.out.println(line[0] + " " + how);
            });
            call.setDaemon(true);
            call.start();
        }
    }
}
