import java.net.URI;
import java.security.cert.X509Certificate;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

public class App {
    public static void main(String[] args) throws Exception {
        boolean leaking = args[0].equals("leaking");
        X509TrustManager any = new X509TrustManager() {
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
            public void checkClientTrusted(X509Certificate[] chain, String type) { }
            public void checkServerTrusted(X509Certificate[] chain, String type) { }
        };
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, new TrustManager[] {any}, null);
        SSLSocketFactory shared = tls.getSocketFactory();
        while (true) {
            HttpsURLConnection c = (HttpsURLConnection) URI.create("https://127.0.0.1:" + args[1] + "/").toURL().openConnection();
            c.setSSLSocketFactory(leaking ? tls.getSocketFactory() : shared);
            c.setHostnameVerifier((host, session) -> true);
            c.setDoOutput(true);
            try (var out = c.getOutputStream()) {
                out.write("{\"n\": 1}".getBytes());
            }
            try (var in = c.getInputStream()) {
                in.readAllBytes();
            }
            Thread.sleep(400);
        }
    }
}
