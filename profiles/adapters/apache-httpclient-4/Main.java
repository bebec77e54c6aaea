import java.util.*;
import org.apache.http.client.methods.*;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.*;
import org.apache.http.util.EntityUtils;

public class Main {
    static final boolean POST = System.getenv("SOCKETLAB_METHOD").equals("POST");
    static final String BODY = System.getenv("SOCKETLAB_BODY");
    static final CloseableHttpClient shared = HttpClients.createDefault();
    static final List<Object> kept = Collections.synchronizedList(new ArrayList<>());

    static int call(String url) throws Exception {
        HttpUriRequest request = new HttpGet(url);
        if (POST) {
            var post = new HttpPost(url);
            post.setEntity(new StringEntity("body"));
            request = post;
        }
        var response = shared.execute(request);
        switch (BODY) {
            case "read" -> { EntityUtils.consume(response.getEntity()); response.close(); }
            case "unread" -> response.close();
            default -> kept.add(response);
        }
        return response.getStatusLine().getStatusCode();
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
