#!/usr/bin/env bash
# A closed Tomcat JDBC pool opens new connections: for who waited, and for who comes later.
#
# Version   tomcat-jdbc 10.1.60 (libtomcat10-java 10.1.60-1~deb12u1), commons-dbcp2 2.9.0
#           (libcommons-dbcp2-java 2.9.0-1), Debian 12; OpenJDK 17. The driver is a class of a
#           few lines whose connections are TCP connections.
# Expected  close() closes the pool and the connections that are not lent, close(true) the lent
#           ones, too (javadoc). Who waits for a connection then gets an SQLException, as who asks
#           later, and nothing connects any more. It is so in DBCP.
# Real      Both connections are lent and three threads wait. close(true) closes the two, and
#           makes a new connection for each of the three. After close() they wait on, and
#           each has a new connection when a lent one is given back (which is closed). A
#           getConnection() after that begins a new pool, silently; what is given back to it stays
#           open, since close() was called already.
# Matters   Closing is how an application leaves its database, for a restart, a new password or a
#           failover. The busiest moment, with threads in the queue, is where it comes back: new logins
#           after the end, as many as waited, and one late request leaves a connection for good.
# Seen      tomcat-jdbc, close(): opened by those who waited 3, after that 1; still open 1
#           tomcat-jdbc, close(): waited: 3 x a connection; later: a connection
#           tomcat-jdbc, close(true): opened by those who waited 3, after that 1; still open 1
#           tomcat-jdbc, close(true): waited: 3 x a connection; later: a connection
#           dbcp2, close(): opened by those who waited 0, after that 0; still open 0
#           dbcp2, close(): waited: 3 x SQLException; later: SQLException
#           (2026-12-01)
set -euo pipefail
if ! { command -v apt-get && command -v dpkg-deb && command -v javac; } >/dev/null; then
  echo "needs Debian 12 and a JDK" >&2
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root \
  libtomcat10-java=10.1.60-1~deb12u1 libcommons-dbcp2-java=2.9.0-1 >/dev/null ||
  { echo "the packages cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >Play.java <<'JAVA'
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;

public class Play {
  static ServerSocket server;
  static final AtomicInteger accepted = new AtomicInteger(), open = new AtomicInteger();

  /** A connection that can be opened and closed. */
  public static class OfTcp implements Driver {
    public Connection connect(String url, Properties info) throws SQLException {
      Socket socket;
      try {
        socket = new Socket(server.getInetAddress(), server.getLocalPort());
        socket.getInputStream().read(); // the server has counted it
      } catch (IOException e) {
        throw new SQLException(e);
      }
      return (Connection) Proxy.newProxyInstance(Play.class.getClassLoader(), new Class<?>[] {Connection.class}, (self, method, args) -> {
        switch (method.getName()) {
          case "close": socket.close(); return null;
          case "isClosed": return socket.isClosed();
          case "isValid": case "getAutoCommit": return true;
          case "hashCode": return System.identityHashCode(self);
          case "equals": return self == args[0];
          default: return method.getReturnType() == boolean.class ? (Object) false : method.getReturnType() == int.class ? (Object) 0 : null;
        }
      });
    }
    public boolean acceptsURL(String url) { return url.equals("jdbc:tcp"); }
    public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) { return new DriverPropertyInfo[0]; }
    public int getMajorVersion() { return 1; }
    public int getMinorVersion() { return 0; }
    public boolean jdbcCompliant() { return false; }
    public Logger getParentLogger() { return null; }
  }

  static void serve() {
    try {
      while (true) {
        Socket c = server.accept();
        accepted.incrementAndGet();
        open.incrementAndGet();
        new Thread(() -> {
          try (c) {
            c.getOutputStream().write(0);
            c.getInputStream().read();
          } catch (IOException e) {
            // it counts as closed
          }
          open.decrementAndGet();
        }).start();
      }
    } catch (IOException e) {
      // the end
    }
  }

  /** Waits until a condition is true, for ten seconds at most. */
  static void await(BooleanSupplier condition) throws InterruptedException {
    for (int i = 0; i < 1000 && !condition.getAsBoolean(); i++) Thread.sleep(10);
  }

  static String take(DataSource source) {
    try {
      source.getConnection().close();
      return "a connection";
    } catch (SQLException e) {
      return "SQLException";
    }
  }

  interface Close { void run() throws SQLException; }

  static void play(String name, DataSource source, Close close) throws Exception {
    accepted.set(0);
    Connection one = source.getConnection(), two = source.getConnection();
    int before = accepted.get();
    Map<String, Integer> said = new TreeMap<>();
    List<Thread> waiting = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Thread t = new Thread(() -> {
        String s = take(source);
        synchronized (said) { said.merge(s, 1, Integer::sum); }
      });
      waiting.add(t);
      t.start();
      await(() -> t.getState() == Thread.State.TIMED_WAITING);
    }
    close.run();
    one.close();
    two.close();
    for (Thread t : waiting) t.join(10000);
    await(() -> open.get() == 0);
    int by = accepted.get() - before;
    String later = take(source);
    int after = accepted.get() - before - by;
    // What is to be closed is closed within a second.
    for (int i = 0; i < 100 && open.get() > 0; i++) Thread.sleep(10);
    System.out.printf("%s: opened by those who waited %d, after that %d; still open %d%n", name, by, after, open.get());
    StringBuilder all = new StringBuilder();
    said.forEach((what, times) -> all.append(", ").append(times).append(" x ").append(what));
    System.out.printf("%s: waited: %s; later: %s%n", name, all.substring(2), later);
    close.run();
    await(() -> open.get() == 0);
  }

  public static void main(String[] args) throws Exception {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    new Thread(Play::serve).start();
    for (boolean all : new boolean[] {false, true}) {
      var tomcat = new org.apache.tomcat.jdbc.pool.DataSource();
      tomcat.setDriverClassName("Play$OfTcp");
      tomcat.setUrl("jdbc:tcp");
      tomcat.setMaxActive(2);
      tomcat.setMaxIdle(2);
      tomcat.setMinIdle(0);
      tomcat.setInitialSize(0);
      tomcat.setMaxWait(10000);
      play("tomcat-jdbc, close(" + (all ? "true" : "") + ")", tomcat, all ? () -> tomcat.close(true) : tomcat::close);
    }
    var dbcp = new BasicDataSource();
    dbcp.setDriver(new OfTcp());
    dbcp.setUrl("jdbc:tcp");
    dbcp.setMaxTotal(2);
    dbcp.setMaxWaitMillis(10000);
    play("dbcp2, close()", dbcp, dbcp::close);
    server.close();
    System.exit(0);
  }
}
JAVA
jars=root/usr/share/java
classes=.:$jars/tomcat10-jdbc.jar:$jars/tomcat10-juli.jar:$jars/commons-dbcp2.jar:$jars/commons-pool2.jar:$jars/commons-logging.jar
javac -cp "$classes" Play.java
timeout 60 java -cp "$classes" Play | tee seen
diff seen - <<'SEEN'
tomcat-jdbc, close(): opened by those who waited 3, after that 1; still open 1
tomcat-jdbc, close(): waited: 3 x a connection; later: a connection
tomcat-jdbc, close(true): opened by those who waited 3, after that 1; still open 1
tomcat-jdbc, close(true): waited: 3 x a connection; later: a connection
dbcp2, close(): opened by those who waited 0, after that 0; still open 0
dbcp2, close(): waited: 3 x SQLException; later: SQLException
SEEN
