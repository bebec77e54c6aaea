import org.apache.commons.httpclient.*;
import org.apache.commons.httpclient.methods.*;

public class Main {
    static final boolean POST = System.getenv("SOCKETLAB_METHOD").equals("POST"), READ = System.getenv("SOCKETLAB_BODY").equals("read");
    static final String CLIENT = System.getenv("SOCKETLAB_CLIENT");
    static final HttpClient shared = new HttpClient(new MultiThreadedHttpConnectionManager());

    static int call(String url) throws Exception {
        var client = CLIENT.equals("shared") ? shared : new HttpClient();
        HttpMethodBase method = new GetMethod(url);
        if (POST) {
            var post = new PostMethod(url);
            post.setRequestEntity(new StringRequestEntity("body", "text/plain", "UTF-8"));
            method = post;
        }
        try {
            int status = client.executeMethod(method);
            if (READ) {
                method.getResponseBody();
            }
            return status;
        } finally {
            method.releaseConnection();
            if (CLIENT.equals("closed")) {
                ((SimpleHttpConnectionManager) client.getHttpConnectionManager()).shutdown();
            }
        }
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
