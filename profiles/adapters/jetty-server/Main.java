import javax.servlet.http.*;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletHandler;
import java.io.IOException;

public class Main {
    public static class Ok extends HttpServlet {
        @Override protected void service(HttpServletRequest q, HttpServletResponse r) throws IOException {
            if (q.getRequestURI().equals("/read")) q.getInputStream().readAllBytes();
            if (q.getRequestURI().equals("/slow")) try { Thread.sleep(2000); } catch (InterruptedException x) { }
            r.setContentLength(2);
            r.getOutputStream().print("ok");
        }
    }
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(System.getenv("PORT"));
        Server s = new Server(new java.net.InetSocketAddress("127.0.0.1", port));
        ServletHandler h = new ServletHandler();
        h.addServletWithMapping(Ok.class, "/*");
        s.setHandler(h);
        s.setStopAtShutdown(true);
        s.start();
    }
}
