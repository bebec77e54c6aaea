import jakarta.servlet.http.*;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
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
        Tomcat t = new Tomcat();
        t.setBaseDir(System.getenv("SOCKETLAB_DIR"));
        t.setPort(port);
        t.getConnector();
        Context c = t.addContext("", System.getenv("SOCKETLAB_DIR"));
        Tomcat.addServlet(c, "ok", new Ok());
        c.addServletMappingDecoded("/*", "ok");
        t.start();
        t.getServer().await();
    }
}
