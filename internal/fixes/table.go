package fixes

// Kinds of descriptors, as a descriptor-leak names them (internal/socketstats has the
// constants, which the test compares).
const (
	udp, tcpListen, tcpClosed, unixSocket, pipe, file = "udp", "tcp_listen", "tcp_closed", "unix", "pipe", "file"
)

// Where several rows have the same source.
const (
	goHTTP     = "https://pkg.go.dev/net/http"
	goNet      = "https://pkg.go.dev/net"
	goSQL      = "https://go.dev/doc/database/manage-connections"
	pyRequests = "https://requests.readthedocs.io/en/latest/user/advanced/"
	pySocket   = "https://docs.python.org/3/library/socket.html"
	nodeHTTP   = "https://nodejs.org/api/http.html"
	nodeNet    = "https://nodejs.org/api/net.html"
	nodePG     = "https://node-postgres.com/apis/pool"
	javaHTTP   = "https://docs.oracle.com/en/java/javase/21/docs/api/java.net.http/java/net/http/HttpClient.html"
	javaSocket = "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/net/Socket.html"
	hikari     = "https://github.com/brettwooldridge/HikariCP#gear-configuration-knobs-baby"
	nginxUp    = "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive"
	nginxCore  = "https://nginx.org/en/docs/http/ngx_http_core_module.html"
	nginxProxy = "https://nginx.org/en/docs/http/ngx_http_proxy_module.html"
	haproxyDoc = "https://docs.haproxy.org/2.8/configuration.html"
	envoyDoc   = "https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts"
	pgConn     = "https://www.postgresql.org/docs/current/runtime-config-connection.html"
	pgClient   = "https://www.postgresql.org/docs/current/runtime-config-client.html"
	redisDoc   = "https://redis.io/docs/latest/develop/reference/clients/"
	listen2    = "listen(2)"
	tcp7       = "tcp(7)"
)

// table has a row for each kind and runtime, and more where the protocol, the library,
// the role or the kind of descriptor makes a difference. It is in the order of the
// runtimes, and of one with the commonest kinds first.
var table = []Row{
	// Go.
	{
		Kinds: "idle-connections-not-reused connection-growth", Runtime: "go", Protocol: HTTP, Source: goHTTP + "#Client",
		Fix:  "Make one http.Client with one http.Transport when the program starts and share it: a Transport for each request has a pool that nobody asks again.",
		Code: goClient,
	},
	{
		Kinds: "connection-growth", Runtime: "go", Source: goNet + "#Conn",
		Fix:  "Put defer conn.Close() right after the error check where a connection is opened (websocket, subscription, stream); of HTTP, share one http.Client.",
		Code: goDial,
	},
	{
		Kinds: "connection-churn port-exhaustion", Runtime: "go", Protocol: HTTP, Source: goHTTP + "#Transport",
		Fix:  "Share one http.Client, set Transport.MaxIdleConnsPerHost to the requests at once (the default is 2), leave DisableKeepAlives off, and read each body to its end before Body.Close.",
		Code: goClient,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "go", Protocol: "postgres", Source: goSQL,
		Fix:  "Call sql.Open (or pgxpool.New) once when the program starts and share the pool; set SetMaxIdleConns to the queries at once (the default is 2).",
		Code: goDB,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "go", Protocol: "mysql", Source: goSQL,
		Fix:  "Call sql.Open once when the program starts and share the pool; set SetMaxIdleConns to the queries at once (the default is 2).",
		Code: goDB,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "go", Protocol: "redis", Source: "https://pkg.go.dev/github.com/redis/go-redis/v9#Client",
		Fix: "Call redis.NewClient once when the program starts and share it; put defer pubsub.Close() after each Subscribe, as a subscription has a connection of its own.",
	},
	{
		Kinds: "response-body-leak", Runtime: "go", Source: goHTTP + "#Response",
		Fix:  "Put defer resp.Body.Close() right after the error check, also where only the status matters, and read the body to its end so that the connection is used again.",
		Code: goBody,
	},
	{
		Kinds: "close-wait-leak", Runtime: "go", Source: goNet + "#Conn",
		Fix:  "Call conn.Close() when Read returns io.EOF: defer it where the connection is opened or accepted; of HTTP, defer resp.Body.Close() and pass r.Context() to all that a handler waits for.",
		Code: goServe,
	},
	{
		Kinds: "close-wait-leak", Runtime: "go", Protocol: HTTP, Role: "client", Source: goHTTP + "#Response",
		Fix:  "Put defer resp.Body.Close() right after the error check of each request: the Transport closes a connection that the server has closed only when its body is closed.",
		Code: goBody,
	},
	{
		Kinds: "half-closed-connections", Runtime: "go", Source: goNet + "#TCPConn.CloseWrite",
		Fix:  "CloseWrite sends a FIN and keeps the socket: read until io.EOF with a deadline, then call conn.Close().",
		Code: goHalfClose,
	},
	{
		Kinds: "descriptor-leak", Runtime: "go", Of: udp, Source: goNet + "#UDPConn",
		Fix:  "Open one UDP socket (net.ListenPacket, net.Dial) for all messages, or put defer conn.Close() after each; a QUIC http3.Transport needs Close(), and CloseIdleConnections does not close its socket.",
		Code: goUDP,
	},
	{
		Kinds: "descriptor-leak", Runtime: "go", Of: tcpListen, Source: goNet + "#Listener",
		Fix:  "Put defer listener.Close() after each net.Listen: a listener stays open until it is closed, whether or not anybody accepts.",
		Code: goListener,
	},
	{
		Kinds: "descriptor-leak", Runtime: "go", Of: tcpClosed, Source: goNet + "#Conn",
		Fix:  "Call conn.Close() also after an error: a socket that was reset, refused or shut down both ways keeps its descriptor until then.",
		Code: goDial,
	},
	{
		Kinds: "descriptor-leak", Runtime: "go", Of: unixSocket, Source: goNet + "#UnixConn",
		Fix: "Put defer conn.Close() after each net.Dial(\"unix\", …) and each Accept of a unix listener.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "go", Of: pipe, Source: "https://pkg.go.dev/os/exec#Cmd.StdoutPipe",
		Fix: "Call cmd.Wait() for each cmd.Start(), which closes the pipes, and close both ends of each os.Pipe().",
	},
	{
		Kinds: "descriptor-leak", Runtime: "go", Of: file, Source: "https://pkg.go.dev/os#File.Close",
		Fix: "Put defer f.Close() right after each os.Open; in a loop, put the body into a function of its own, as defer runs when the function returns.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "go", Source: "https://pkg.go.dev/os#File.Close",
		Fix: "Put defer x.Close() right after the error check of whatever opens it, so that it is closed in every path.",
	},
	{
		Kinds: "inherited-connections", Runtime: "go", Source: "https://pkg.go.dev/os/exec#Cmd",
		Fix:  "Go opens sockets with CLOEXEC: a child has one only through exec.Cmd.ExtraFiles, a standard stream, or conn.File(). Do not pass it on, and close the copy of File() in the parent.",
		Code: goFile,
	},
	{
		Kinds: "request-stalled", Runtime: "go", Protocol: HTTP, Source: goHTTP + "#Client",
		Fix:  "Set http.Client.Timeout, or give each request a context with a deadline (http.NewRequestWithContext): without, a request waits for ever.",
		Code: goDeadline,
	},
	{
		Kinds: "request-stalled", Runtime: "go", Source: goNet + "#Conn",
		Fix:  "Pass a context with a deadline to every call (QueryContext, http.NewRequestWithContext); of a raw connection call SetReadDeadline before each Read.",
		Code: goDeadline,
	},
	{
		Kinds: "connect-stalled", Runtime: "go", Source: goNet + "#Dialer",
		Fix:  "Set net.Dialer.Timeout to a few seconds and use its DialContext in the Transport: http.DefaultTransport waits 30 s, a Dialer of one's own as long as the kernel, about 130 s.",
		Code: goDialTimeout,
	},
	{
		Kinds: "accept-stalled", Runtime: "go", Source: goNet + "#Listener",
		Fix:  "Accept in a loop that does nothing else, and start a goroutine for each connection; what limits the work (a semaphore, netutil.LimitListener) must not be held by connections that are idle.",
		Code: goAccept,
	},
	{
		Kinds: "accept-queue-overflow", Runtime: "go", Source: goNet + "#Listen",
		Fix:  "Accept in a loop that does nothing else, and raise net.core.somaxconn before the program starts: Go reads it once, and takes it as its backlog.",
		Code: goAccept,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "go", Protocol: HTTP, Source: goHTTP + "#Transport",
		Fix:  "Close every response body, and raise Transport.MaxConnsPerHost (0 is no limit) to requests per second times latency; give each request a deadline, which ends its wait for a connection, too.",
		Code: goBody,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "go", Protocol: "postgres", Source: goSQL,
		Fix:  "Put defer rows.Close(), defer tx.Rollback() and defer conn.Close() (pgxpool: conn.Release()) right after the error check: each holds a connection of the pool. Then size SetMaxOpenConns.",
		Code: goRows,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "go", Protocol: "postgres", Library: "pgx", Source: "https://pkg.go.dev/github.com/jackc/pgx/v5/pgxpool",
		Fix:  "Put defer rows.Close(), defer tx.Rollback(ctx) and defer conn.Release() right after the error check: each holds a connection of the pgxpool. Then size MaxConns, and give Acquire a deadline.",
		Code: goRows,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "go", Protocol: "mysql", Source: goSQL,
		Fix:  "Put defer rows.Close(), defer tx.Rollback() and defer conn.Close() right after the error check: each holds a connection of the pool. Then size SetMaxOpenConns.",
		Code: goRows,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "go", Source: goSQL,
		Fix:  "Give each connection back in every path with defer (rows.Close(), tx.Rollback(), resp.Body.Close()), and wait for one with a context that has a deadline.",
		Code: goRows,
	},
	{
		Kinds: "server-idle-clients", Runtime: "go", Source: goHTTP + "#Server",
		Fix:  "Set http.Server.IdleTimeout and ReadHeaderTimeout: both are off by default. Of a raw listener, call conn.SetReadDeadline before each Read.",
		Code: goServer,
	},
	{
		Kinds: "half-open-connections", Runtime: "go", Source: goHTTP + "#ResponseController.SetWriteDeadline",
		Fix:  "Call SetWriteDeadline before each write (in a handler that streams: http.ResponseController.SetWriteDeadline), and send a ping that must be answered; keep-alive probes wait while data is unacknowledged.",
		Code: goWriteDeadline,
	},
	{
		Kinds: "idle-timeout-missing", Runtime: "go", Protocol: HTTP, Source: goHTTP + "#Transport",
		Fix:  "Set Transport.IdleConnTimeout below the server's idle timeout: a Transport of one's own has none, http.DefaultTransport has 90 s.",
		Code: goClient,
	},
	{
		Kinds: "idle-timeout-missing", Runtime: "go", Source: goSQL,
		Fix:  "Set the pool's idle timeout: SetConnMaxIdleTime of a sql.DB, Transport.IdleConnTimeout of HTTP; without, idle connections stay.",
		Code: goDB,
	},
	{
		Kinds: "fd-exhaustion", Runtime: "go", Source: goHTTP + "#Transport",
		Fix:  "Limit what opens descriptors: Transport.MaxConnsPerHost and SetMaxOpenConns at the client's end, netutil.LimitListener at the server's. Go has raised the soft limit to the hard one already (since 1.19).",
		Code: goClient,
	},
	{
		Kinds: "retry-storm", Runtime: "go", Source: "https://sre.google/sre-book/handling-overload/",
		Fix:  "Retry only what can succeed, wait with back-off and jitter, and let a rate.Limiter allow retries for about a tenth of the requests: back-off alone does not end a storm.",
		Code: goRetry,
	},
	{
		Kinds: "timeout-too-short", Runtime: "go", Source: goHTTP + "#Client",
		Fix:  "Set http.Client.Timeout above the 99th percentile of the responses: each timeout closes its connection, and the next request has to open one.",
		Code: goDeadline,
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "go", Protocol: HTTP, Source: goHTTP + "#Transport",
		Fix:  "Set Transport.IdleConnTimeout below the server's idle timeout; for a POST that may be repeated set the header Idempotency-Key, and the Transport repeats it on a new connection.",
		Code: goClient,
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "go", Source: goSQL,
		Fix:  "Set SetConnMaxIdleTime (of HTTP Transport.IdleConnTimeout) below what the server and the firewalls between allow.",
		Code: goDB,
	},
	{
		Kinds: "ungraceful-shutdown", Runtime: "go", Source: goHTTP + "#Server.Shutdown",
		Fix:  "On SIGTERM call Server.Shutdown with a deadline and wait for it before main returns: ListenAndServe returns as soon as Shutdown begins.",
		Code: goShutdown,
	},
	{
		Kinds: "load-imbalance", Runtime: "go", Source: goHTTP + "#Transport.CloseIdleConnections",
		Fix:  "Call CloseIdleConnections from time to time, so that new connections choose a server again; of gRPC use dns:/// with round_robin, or MaxConnectionAge at the server.",
		Code: goRebalance,
	},

	// Python.
	{
		Kinds: "idle-connections-not-reused connection-growth connection-churn port-exhaustion", Runtime: "python", Protocol: HTTP, Source: pyRequests + "#session-objects",
		Fix:  "Make one requests.Session (httpx.Client, aiohttp.ClientSession) when the program starts and send every request through it: requests.get makes a session for each call.",
		Code: pySession,
	},
	{
		Kinds: "connection-growth", Runtime: "python", Source: pySocket + "#socket.socket.close",
		Fix:  "Open what is long-lived in a with statement (with socket.create_connection(…) as s, async with session.ws_connect(…) as ws), so that it is closed in every path.",
		Code: pyWith,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "python", Protocol: "postgres", Source: "https://www.psycopg.org/psycopg3/docs/advanced/pool.html",
		Fix:  "Make one pool when the program starts (psycopg_pool.ConnectionPool, SQLAlchemy's create_engine) and borrow with with pool.connection() as conn, instead of psycopg.connect in each call.",
		Code: pyPool,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "python", Protocol: "mysql", Source: "https://docs.sqlalchemy.org/en/20/core/pooling.html",
		Fix: "Make one pool when the program starts (SQLAlchemy's create_engine, mysql.connector.pooling) and borrow in a with statement, instead of connect() in each call.",
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "python", Protocol: "redis", Source: "https://redis.readthedocs.io/en/stable/connections.html",
		Fix:  "Make one redis.Redis (it has a pool) when the program starts and share it; close each pubsub() when its reader leaves, as a subscription holds a connection.",
		Code: pyPubSub,
	},
	{
		Kinds: "response-body-leak", Runtime: "python", Source: pyRequests + "#body-content-workflow",
		Fix:  "With stream=True read the response to its end or close it: with session.get(url, stream=True) as r; of aiohttp async with session.get(url) as r.",
		Code: pyBody,
	},
	{
		Kinds: "close-wait-leak", Runtime: "python", Source: pySocket + "#socket.socket.recv",
		Fix:  "Close the socket when recv() returns b'': with sock: … does it in every path; of asyncio, writer.close() and await writer.wait_closed(); of requests, close the response.",
		Code: pyServe,
	},
	{
		Kinds: "half-closed-connections", Runtime: "python", Source: pySocket + "#socket.socket.shutdown",
		Fix:  "shutdown(SHUT_WR) sends a FIN and keeps the socket: read until recv() returns b'', with settimeout, then call close(); of asyncio, call writer.close() after write_eof().",
		Code: pyHalfClose,
	},
	{
		Kinds: "descriptor-leak", Runtime: "python", Of: udp, Source: pySocket + "#socket.socket.close",
		Fix:  "Make one UDP socket for all messages, or use each in a with statement; of asyncio, call transport.close() of each datagram endpoint.",
		Code: pyUDP,
	},
	{
		Kinds: "descriptor-leak", Runtime: "python", Of: tcpListen, Source: pySocket + "#socket.socket.close",
		Fix: "Close each listening socket when what it was opened for is over: with socket.create_server(…) as server; of asyncio, server.close() and await server.wait_closed().",
	},
	{
		Kinds: "descriptor-leak", Runtime: "python", Of: tcpClosed, Source: pySocket + "#socket.socket.close",
		Fix:  "Call close() also after an exception: a socket that was reset, refused or shut down both ways keeps its descriptor until then; a with statement does it.",
		Code: pyWith,
	},
	{
		Kinds: "descriptor-leak", Runtime: "python", Of: unixSocket, Source: pySocket + "#socket.socket.close",
		Fix: "Use each unix socket, and each half of a socketpair(), in a with statement; close the asyncio loops that you make (loop.close()): each has a socketpair.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "python", Of: pipe, Source: "https://docs.python.org/3/library/subprocess.html#popen-constructor",
		Fix: "Use each subprocess.Popen in a with statement, or call communicate(): it closes the pipes and waits.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "python", Of: file, Source: "https://docs.python.org/3/reference/compound_stmts.html#with",
		Fix: "Open files in a with statement.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "python", Source: "https://docs.python.org/3/library/contextlib.html#contextlib.closing",
		Fix:  "Use what opens a descriptor in a with statement (contextlib.closing for what has only close()), and do not keep it in a list or a global.",
		Code: pyWith,
	},
	{
		Kinds: "inherited-connections", Runtime: "python", Source: "https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods",
		Fix:  "A fork copies every open socket: open connections in the child, after the fork, or use multiprocessing.set_start_method('spawn'); in subprocess leave close_fds=True.",
		Code: pySpawn,
	},
	{
		Kinds: "request-stalled", Runtime: "python", Protocol: HTTP, Source: pyRequests + "#timeouts",
		Fix:  "Pass timeout=(connect, read) to every call of requests, which has none by default (httpx has 5 s, aiohttp 300 s in all): session.get(url, timeout=(3, 10)).",
		Code: pyTimeout,
	},
	{
		Kinds: "request-stalled", Runtime: "python", Source: pySocket + "#socket.socket.settimeout",
		Fix:  "Set a timeout: sock.settimeout(10), asyncio.timeout(10), socket_timeout=10 of redis.Redis, timeout=(3, 10) of requests; none has one by default.",
		Code: pyTimeout,
	},
	{
		Kinds: "connect-stalled", Runtime: "python", Source: pySocket + "#socket.create_connection",
		Fix:  "Give connecting a timeout of a few seconds: socket.create_connection(addr, timeout=3), requests timeout=(3, 10), connect_timeout=3 of a database's driver.",
		Code: pyTimeout,
	},
	{
		Kinds: "accept-stalled", Runtime: "python", Source: "https://docs.gunicorn.org/en/stable/design.html",
		Fix:  "Accept in a loop that does nothing else and give the connection to a thread (socketserver.ThreadingTCPServer) or a task; a sync worker of gunicorn serves one at a time: use --threads or more --workers.",
		Code: pyAccept,
	},
	{
		Kinds: "accept-queue-overflow", Runtime: "python", Source: pySocket + "#socket.create_server",
		Fix:  "Raise the backlog (socket.create_server(addr, backlog=1024), request_queue_size of socketserver, which is 5; gunicorn --backlog) and net.core.somaxconn, and accept in a loop that does nothing else.",
		Code: pyAccept,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "python", Protocol: "postgres", Source: "https://www.psycopg.org/psycopg3/docs/advanced/pool.html",
		Fix:  "Borrow in a with statement (with pool.connection() as conn; SQLAlchemy: with Session() as session), so that it is given back in every path, and give the wait a timeout.",
		Code: pyPool,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "python", Protocol: "postgres", Library: "psycopg2", Source: "https://www.psycopg.org/docs/pool.html",
		Fix:  "Call pool.putconn(conn) in finally after each getconn(): closing the cursor does not give the connection back. SQLAlchemy: with Session() as session.",
		Code: pyPutConn,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "python", Protocol: "mysql", Source: "https://docs.sqlalchemy.org/en/20/core/pooling.html",
		Fix: "Close each connection that you borrow, in a with statement or finally: close() gives it back to the pool. Then size the pool (pool_size, max_overflow) and its pool_timeout.",
	},
	{
		Kinds: "pool-exhaustion", Runtime: "python", Source: "https://docs.sqlalchemy.org/en/20/core/pooling.html",
		Fix:  "Borrow in a with statement, so that the connection is given back in every path; then size the pool (pool_size of SQLAlchemy, pool_maxsize of requests' HTTPAdapter) and give the wait a timeout.",
		Code: pySession,
	},
	{
		Kinds: "server-idle-clients", Runtime: "python", Source: "https://docs.gunicorn.org/en/stable/settings.html#keepalive",
		Fix:  "Set the server's idle timeout: --keep-alive of gunicorn's threads, --timeout-keep-alive of uvicorn, timeout = 60 on a BaseHTTPRequestHandler (the default is none), settimeout() of an accepted socket.",
		Code: pyServerTimeout,
	},
	{
		Kinds: "half-open-connections", Runtime: "python", Source: tcp7,
		Fix:  "Set TCP_USER_TIMEOUT, or settimeout() before sending, and send a ping that must be answered (ping_interval of websockets, heartbeat=30 of aiohttp).",
		Code: pyUserTimeout,
	},
	{
		Kinds: "idle-timeout-missing", Runtime: "python", Protocol: HTTP, Source: "https://www.python-httpx.org/advanced/resource-limits/",
		Fix:  "Let idle connections end: httpx.Limits(keepalive_expiry=5), aiohttp.TCPConnector(keepalive_timeout=15); requests has no such setting: call session.close() when the work is done.",
		Code: pySession,
	},
	{
		Kinds: "idle-timeout-missing", Runtime: "python", Source: "https://www.psycopg.org/psycopg3/docs/api/pool.html",
		Fix: "Set the pool's idle time (max_idle of psycopg_pool, keepalive_expiry of httpx), or close what you opened when the work is done.",
	},
	{
		Kinds: "fd-exhaustion", Runtime: "python", Source: "https://docs.python.org/3/library/resource.html#resource.setrlimit",
		Fix: "Limit what opens descriptors (a pool with block=True, asyncio.Semaphore, --worker-connections of gunicorn), and close in with statements; resource.setrlimit raises the soft limit up to the hard one.",
	},
	{
		Kinds: "retry-storm", Runtime: "python", Source: "https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html#urllib3.util.Retry",
		Fix:  "Use urllib3's Retry with a small total, backoff_factor and respect_retry_after_header, and stop retrying when a tenth of the requests are retries.",
		Code: pyRetry,
	},
	{
		Kinds: "timeout-too-short", Runtime: "python", Source: pyRequests + "#timeouts",
		Fix:  "Set the read timeout above the 99th percentile of the responses: timeout=(3, 10).",
		Code: pyTimeout,
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "python", Protocol: HTTP, Source: "https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html#urllib3.util.Retry",
		Fix:  "Let the server's idle timeout be longer than the client's (httpx keepalive_expiry, aiohttp keepalive_timeout), and mount an HTTPAdapter with Retry(connect=1, read=1) for requests that may be repeated.",
		Code: pyRetry,
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "python", Source: "https://docs.sqlalchemy.org/en/20/core/pooling.html#disconnect-handling-pessimistic",
		Fix:  "Check a connection before it is used: pool_pre_ping=True and pool_recycle of SQLAlchemy, check=ConnectionPool.check_connection of psycopg_pool, health_check_interval of redis.",
		Code: pyPrePing,
	},
	{
		Kinds: "ungraceful-shutdown", Runtime: "python", Source: "https://docs.gunicorn.org/en/stable/signals.html",
		Fix:  "On SIGTERM stop accepting and wait for the requests under way: gunicorn --graceful-timeout, uvicorn --timeout-graceful-shutdown, HTTPServer.shutdown() and block_on_close.",
		Code: pyShutdown,
	},
	{
		Kinds: "load-imbalance", Runtime: "python", Source: "https://www.python-httpx.org/advanced/resource-limits/",
		Fix: "Close the session from time to time and make a new one, so that a server is chosen again; of gRPC set ('grpc.lb_policy_name', 'round_robin') and a dns:/// target.",
	},

	// Node.
	{
		Kinds: "idle-connections-not-reused connection-growth connection-churn port-exhaustion", Runtime: "node", Protocol: HTTP, Source: nodeHTTP + "#class-httpagent",
		Fix:  "Make one http.Agent with keepAlive: true and maxSockets when the program starts and pass it with every request (axios: httpAgent): a new Agent, or client, for each call has a pool of its own.",
		Code: nodeAgent,
	},
	{
		Kinds: "connection-growth", Runtime: "node", Source: nodeNet + "#socketdestroyerror",
		Fix:  "Call socket.destroy() (ws.terminate(), client.quit()) when the work is done, also on 'error' and 'close' of the other side, and remove it from your lists there.",
		Code: nodeSocket,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "node", Protocol: "postgres", Source: nodePG,
		Fix:  "Make one new Pool() when the program starts and call pool.query(…), instead of a Client (or a Pool) for each request; call client.release() in finally.",
		Code: nodePool,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "node", Protocol: "mysql", Source: "https://sidorares.github.io/node-mysql2/docs#using-connection-pools",
		Fix: "Make one createPool() when the program starts and call pool.query(…); set maxIdle below connectionLimit, or its idleTimeout does nothing.",
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "node", Protocol: "redis", Source: "https://github.com/redis/node-redis/blob/master/docs/pub-sub.md",
		Fix:  "Make one client when the program starts and share it; a subscriber needs a connection of its own: make one for all channels, and close it (close(), or quit() before version 5) when the reader leaves.",
		Code: nodeRedis,
	},
	{
		Kinds: "response-body-leak", Runtime: "node", Source: "https://undici.nodejs.org/#/?id=garbage-collection",
		Fix:  "Consume every response: res.resume() of http.get, await res.body.cancel() or await res.text() of fetch, body.dump() of undici.",
		Code: nodeBody,
	},
	{
		Kinds: "close-wait-leak", Runtime: "node", Source: nodeNet + "#netcreateserveroptions-connectionlistener",
		Fix:  "With allowHalfOpen: true call socket.end() on 'end'; and read what arrives: 'end' does not come while data waits in a paused socket, so call resume() or destroy().",
		Code: nodeEnd,
	},
	{
		Kinds: "half-closed-connections", Runtime: "node", Source: nodeNet + "#socketenddata-encoding-callback",
		Fix:  "end() sends a FIN and keeps the socket until the peer ends, too: call socket.destroySoon(), or socket.destroy() after a timeout; of SMTP and FTP clients close(), not only quit().",
		Code: nodeHalfClose,
	},
	{
		Kinds: "descriptor-leak", Runtime: "node", Of: udp, Source: "https://nodejs.org/api/dgram.html#socketclosecallback",
		Fix:  "Make one dgram socket for all messages, or call socket.close() in the callback of send().",
		Code: nodeUDP,
	},
	{
		Kinds: "descriptor-leak", Runtime: "node", Of: tcpListen, Source: nodeNet + "#serverclosecallback",
		Fix:  "Call server.close() when what the listener was opened for is over, also when no connection came: give it a timer.",
		Code: nodeListener,
	},
	{
		Kinds: "descriptor-leak", Runtime: "node", Of: tcpClosed, Source: nodeNet + "#socketdestroyerror",
		Fix: "Call socket.destroy() on 'error' and 'timeout': a socket that was reset or shut down keeps its descriptor until then.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "node", Of: unixSocket, Source: nodeNet + "#socketdestroyerror",
		Fix: "Call socket.destroy() on both ends of each unix socket; a child process with 'pipe' streams has some until it has exited: end its stdin, and read or destroy its stdout and stderr.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "node", Of: pipe, Source: "https://nodejs.org/api/child_process.html#subprocessstdio",
		Fix: "End each child process, and read or destroy its stdout and stderr: its pipes stay open until they have ended.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "node", Of: file, Source: "https://nodejs.org/api/fs.html#class-filehandle",
		Fix: "Close each FileHandle in finally (or await using), and build streams with stream.pipeline(), which destroys them after an error: pipe() does not.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "node", Source: "https://nodejs.org/api/stream.html#streampipelinesource-transforms-destination-callback",
		Fix: "Close or destroy what you open in finally, and on 'error'; join streams with stream.pipeline().",
	},
	{
		Kinds: "inherited-connections", Runtime: "node", Source: "https://nodejs.org/api/child_process.html#optionsstdio",
		Fix: "A child has a socket only if it was in the stdio of spawn() or was sent with subprocess.send(handle): pass 'pipe' or 'ignore', and leave keepOpen off.",
	},
	{
		Kinds: "request-stalled", Runtime: "node", Protocol: HTTP, Source: "https://nodejs.org/api/globals.html#static-method-abortsignaltimeoutdelay",
		Fix:  "Pass signal: AbortSignal.timeout(10_000) with every request, or timeout of axios; the option timeout of http.request only emits 'timeout': call req.destroy() there.",
		Code: nodeTimeout,
	},
	{
		Kinds: "request-stalled", Runtime: "node", Source: nodeNet + "#socketsettimeouttimeout-callback",
		Fix:  "Call socket.setTimeout(10_000) and destroy() the socket on 'timeout'; of HTTP pass signal: AbortSignal.timeout(10_000); of pg set query_timeout.",
		Code: nodeTimeout,
	},
	{
		Kinds: "connect-stalled", Runtime: "node", Source: nodeNet + "#socketsettimeouttimeout-callback",
		Fix:  "Give connecting a timeout of a few seconds: socket.setTimeout before 'connect', connect.timeout of undici's Agent (10 s), connectTimeout of ioredis, connectionTimeoutMillis of pg's Pool (0 is for ever).",
		Code: nodeSocket,
	},
	{
		Kinds: "accept-stalled", Runtime: "node", Source: "https://nodejs.org/en/learn/asynchronous-work/dont-block-the-event-loop",
		Fix: "The event loop is blocked, so nobody accepts: move synchronous work (…Sync calls, JSON of megabytes, regular expressions) to worker_threads; monitorEventLoopDelay of perf_hooks shows it.",
	},
	{
		Kinds: "accept-queue-overflow", Runtime: "node", Source: nodeNet + "#serverlistenport-host-backlog-callback",
		Fix: "Raise the backlog (server.listen({ port, backlog: 4096 }); the default is 511) and net.core.somaxconn, and keep the event loop free of synchronous work.",
	},
	{
		Kinds: "pool-exhaustion", Runtime: "node", Protocol: "postgres", Source: nodePG,
		Fix:  "Call client.release() in finally after each pool.connect(), or use pool.query(…), which does; then set max and connectionTimeoutMillis (0 waits for ever).",
		Code: nodePool,
	},
	{
		Kinds: "pool-exhaustion", Runtime: "node", Protocol: "mysql", Source: "https://sidorares.github.io/node-mysql2/docs#using-connection-pools",
		Fix: "Call connection.release() in finally after each pool.getConnection(), or use pool.query(…), which does; then set connectionLimit and queueLimit.",
	},
	{
		Kinds: "pool-exhaustion", Runtime: "node", Source: nodeHTTP + "#agentmaxsockets",
		Fix:  "Give connections back in finally (client.release()), and consume every response; then raise maxSockets of the Agent, or max of the pool, and give the wait a timeout.",
		Code: nodePool,
	},
	{
		Kinds: "server-idle-clients", Runtime: "node", Source: nodeHTTP + "#serverkeepalivetimeout",
		Fix:  "Set server.keepAliveTimeout (5 s by default), headersTimeout and requestTimeout, and socket.setTimeout() for upgraded and raw connections, which have none.",
		Code: nodeServer,
	},
	{
		Kinds: "half-open-connections", Runtime: "node", Source: "https://github.com/websockets/ws#how-to-detect-and-close-broken-connections",
		Fix:  "Send a ping and terminate() who does not answer it (ws: isAlive); for SSE write a comment line every 15 s, and destroy the response when writableLength grows.",
		Code: nodePing,
	},
	{
		Kinds: "idle-timeout-missing", Runtime: "node", Protocol: HTTP, Source: nodeHTTP + "#new-agentoptions",
		Fix:  "Set timeout of an Agent with keepAlive: true (an own one never closes idle sockets), or keepAliveTimeout of undici's Agent, below the server's.",
		Code: nodeAgent,
	},
	{
		Kinds: "idle-timeout-missing", Runtime: "node", Source: nodePG,
		Fix: "Set the pool's idle timeout: idleTimeoutMillis of pg, maxIdle below connectionLimit with idleTimeout of mysql2, timeout of an http.Agent.",
	},
	{
		Kinds: "fd-exhaustion", Runtime: "node", Source: nodeHTTP + "#agentmaxtotalsockets",
		Fix: "Limit what opens descriptors (maxSockets and maxTotalSockets of the Agent, server.maxConnections, a queue such as p-limit for files), and destroy sockets on 'error'.",
	},
	{
		Kinds: "retry-storm", Runtime: "node", Source: "https://undici.nodejs.org/#/docs/api/RetryHandler.md",
		Fix:  "Retry a few times with back-off and jitter (maxRetries and minTimeout of undici's RetryAgent), obey Retry-After, and stop when a tenth of the requests are retries.",
		Code: nodeRetry,
	},
	{
		Kinds: "timeout-too-short", Runtime: "node", Source: nodeHTTP + "#requestsettimeouttimeout-callback",
		Fix: "Set the timeout above the 99th percentile of the responses: each one that is cut closes its connection.",
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "node", Protocol: HTTP, Source: nodeHTTP + "#requestreusedsocket",
		Fix:  "Keep the client's idle time below the server's (timeout of the Agent, keepAliveTimeout of undici; at a Node server raise server.keepAliveTimeout), and repeat a request on ECONNRESET if req.reusedSocket is true.",
		Code: nodeReused,
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "node", Source: nodePG,
		Fix: "Set the pool's idle time below what the server and the firewalls between allow (idleTimeoutMillis of pg, keepAlive: true), and listen for 'error' on the pool.",
	},
	{
		Kinds: "ungraceful-shutdown", Runtime: "node", Source: nodeHTTP + "#serverclosecallback",
		Fix:  "On SIGTERM call server.close(), then server.closeIdleConnections(), and exit in the callback of close(): without a handler Node ends at once.",
		Code: nodeShutdown,
	},
	{
		Kinds: "load-imbalance", Runtime: "node", Source: "https://undici.nodejs.org/#/docs/api/Client.md",
		Fix: "Limit how long a connection serves (maxRequestsPerClient of undici, server.maxRequestsPerSocket at the server), so that a server is chosen again.",
	},

	// Java.
	{
		Kinds: "idle-connections-not-reused connection-growth connection-churn port-exhaustion", Runtime: "java", Protocol: HTTP, Source: javaHTTP,
		Fix:  "Make one HttpClient (OkHttpClient, CloseableHttpClient) when the program starts and share it: each has a pool and threads of its own. Apache's pool allows few connections per route (2; version 5: 5) unless setMaxConnPerRoute says more.",
		Code: javaClient,
	},
	{
		Kinds: "connection-growth", Runtime: "java", Source: "https://docs.oracle.com/javase/tutorial/essential/exceptions/tryResourceClose.html",
		Fix:  "Open what is long-lived in try-with-resources, or close it in finally and in the listener's onError and onClose.",
		Code: javaTry,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "java", Protocol: "postgres", Source: hikari,
		Fix:  "Make one HikariDataSource when the program starts and borrow in try-with-resources, instead of DriverManager.getConnection in each call.",
		Code: javaPool,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "java", Protocol: "mysql", Source: hikari,
		Fix:  "Make one HikariDataSource when the program starts and borrow in try-with-resources, instead of DriverManager.getConnection in each call.",
		Code: javaPool,
	},
	{
		Kinds: "connection-churn port-exhaustion connection-growth idle-connections-not-reused", Runtime: "java", Protocol: "redis", Source: "https://redis.github.io/jedis/",
		Fix: "Make one JedisPooled (Lettuce: one RedisClient and one connection) when the program starts and share it; unsubscribe and close each subscriber.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused close-wait-leak", Runtime: "java", Protocol: "ldap", Source: "https://docs.oracle.com/javase/jndi/tutorial/ldap/connect/pool.html",
		Fix: "Close each InitialDirContext and NamingEnumeration in finally, and set com.sun.jndi.ldap.connect.pool to true with com.sun.jndi.ldap.connect.pool.timeout.",
	},
	{
		Kinds: "response-body-leak", Runtime: "java", Source: javaHTTP,
		Fix:  "Read every body to its end or close it: try (InputStream in = response.body()); with Apache and OkHttp close the response in try-with-resources, EntityUtils.consume(entity).",
		Code: javaBody,
	},
	{
		Kinds: "close-wait-leak", Runtime: "java", Source: javaSocket + "#close()",
		Fix:  "Close the socket when read() returns -1: try (Socket s = …); with java.net.http read or close the body of every response; of Apache's client call evictIdleConnections, or setValidateAfterInactivity.",
		Code: javaServe,
	},
	{
		Kinds: "half-closed-connections", Runtime: "java", Source: javaSocket + "#shutdownOutput()",
		Fix:  "shutdownOutput() sends a FIN and keeps the socket: read until -1 with setSoTimeout, then close().",
		Code: javaHalfClose,
	},
	{
		Kinds: "descriptor-leak", Runtime: "java", Of: udp, Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/net/DatagramSocket.html",
		Fix: "Make one DatagramSocket (DatagramChannel) for all messages, or open each in try-with-resources.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "java", Of: tcpListen, Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/net/ServerSocket.html",
		Fix: "Open each ServerSocket in try-with-resources, and call setSoTimeout so that accept() ends when nobody comes.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "java", Of: tcpClosed, Source: javaSocket + "#close()",
		Fix:  "Call close() also after an IOException: a socket that was reset, refused or shut down both ways keeps its descriptor until then.",
		Code: javaTry,
	},
	{
		Kinds: "descriptor-leak", Runtime: "java", Of: pipe, Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Process.html",
		Fix: "Close the three streams of each Process and call waitFor(); close each Selector and Pipe: a Selector has descriptors of its own.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "java", Of: file, Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/nio/file/Files.html",
		Fix: "Open files in try-with-resources, also the streams of Files.list, Files.walk and Files.lines.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "java", Source: "https://docs.oracle.com/javase/tutorial/essential/exceptions/tryResourceClose.html",
		Fix:  "Open what has a descriptor in try-with-resources, so that it is closed in every path.",
		Code: javaTry,
	},
	{
		Kinds: "inherited-connections", Runtime: "java", Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/ProcessBuilder.html",
		Fix: "ProcessBuilder closes descriptors in the child: look for native code that forks without CLOEXEC, and for sockets that were handed over by System.inheritedChannel().",
	},
	{
		Kinds: "request-stalled", Runtime: "java", Protocol: HTTP, Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.net.http/java/net/http/HttpRequest.Builder.html#timeout(java.time.Duration)",
		Fix:  "Set HttpRequest.Builder.timeout: connectTimeout of the client is for connecting only. HttpURLConnection needs setReadTimeout, OkHttp callTimeout, Apache setResponseTimeout.",
		Code: javaTimeout,
	},
	{
		Kinds: "request-stalled", Runtime: "java", Source: javaSocket + "#setSoTimeout(int)",
		Fix:  "Set a read timeout: setSoTimeout of a Socket, HttpRequest.Builder.timeout, socketTimeout in the JDBC URL, Statement.setQueryTimeout; none has one by default.",
		Code: javaTimeout,
	},
	{
		Kinds: "connect-stalled", Runtime: "java", Source: javaSocket + "#connect(java.net.SocketAddress,int)",
		Fix:  "Give connecting a timeout of a few seconds: HttpClient.Builder.connectTimeout, socket.connect(address, 3000), connectTimeout in the JDBC URL.",
		Code: javaClient,
	},
	{
		Kinds: "accept-stalled", Runtime: "java", Source: "https://tomcat.apache.org/tomcat-10.1-doc/config/http.html",
		Fix: "Call accept() in a thread that does nothing else and give the socket to an executor; in Tomcat raise maxConnections and maxThreads, and see with jstack where the acceptor waits.",
	},
	{
		Kinds: "accept-queue-overflow", Runtime: "java", Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/net/ServerSocket.html",
		Fix: "Raise the backlog (new ServerSocket(port, 1024); the default is 50; acceptCount of Tomcat is 100, SO_BACKLOG of Netty) and net.core.somaxconn, and accept in a thread that does nothing else.",
	},
	{
		Kinds: "pool-exhaustion", Runtime: "java", Protocol: HTTP, Source: "https://hc.apache.org/httpcomponents-client-5.4.x/migration-guide/migration-to-classic.html",
		Fix: "Close every response in try-with-resources, raise setMaxConnTotal and setMaxConnPerRoute, and set setConnectionRequestTimeout for the wait.",
	},
	{
		Kinds: "pool-exhaustion", Runtime: "java", Source: hikari,
		Fix:  "Borrow in try-with-resources, so that close() gives the connection back in every path; leakDetectionThreshold of HikariCP prints the stack of who did not. Then size maximumPoolSize.",
		Code: javaPool,
	},
	{
		Kinds: "server-idle-clients", Runtime: "java", Source: "https://tomcat.apache.org/tomcat-10.1-doc/config/http.html",
		Fix: "Set the server's idle timeout: keepAliveTimeout and connectionTimeout of Tomcat, idleTimeout of Jetty's connector, an IdleStateHandler in Netty's pipeline, setSoTimeout of an accepted Socket.",
	},
	{
		Kinds: "half-open-connections", Runtime: "java", Source: "https://netty.io/4.1/api/io/netty/handler/timeout/WriteTimeoutHandler.html",
		Fix: "Send a ping that must be answered, and close after a write timeout (WriteTimeoutHandler and IdleStateHandler of Netty, TCP_USER_TIMEOUT of its epoll transport).",
	},
	{
		Kinds: "idle-timeout-missing", Runtime: "java", Protocol: HTTP, Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.net.http/module-summary.html",
		Fix: "Set the client's idle timeout below the server's: -Djdk.httpclient.keepalive.timeout=10 (seconds), ConnectionPool of OkHttp, evictIdleConnections of Apache's client.",
	},
	{
		Kinds: "idle-timeout-missing", Runtime: "java", Source: hikari,
		Fix:  "Set the pool's idle timeout: idleTimeout of HikariCP, which needs a minimumIdle below maximumPoolSize.",
		Code: javaPool,
	},
	{
		Kinds: "fd-exhaustion", Runtime: "java", Source: "https://tomcat.apache.org/tomcat-10.1-doc/config/http.html",
		Fix: "Limit what opens descriptors (maximumPoolSize, setMaxConnTotal, maxConnections of Tomcat), and close in try-with-resources; Java has raised the soft limit to the hard one already (-XX:+MaxFDLimit).",
	},
	{
		Kinds: "retry-storm", Runtime: "java", Source: "https://resilience4j.readme.io/docs/retry",
		Fix: "Retry a few times with IntervalFunction.ofExponentialRandomBackoff of Resilience4j, with a CircuitBreaker around it, and stop when a tenth of the requests are retries.",
	},
	{
		Kinds: "timeout-too-short", Runtime: "java", Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.net.http/java/net/http/HttpRequest.Builder.html#timeout(java.time.Duration)",
		Fix:  "Set HttpRequest.Builder.timeout above the 99th percentile of the responses: each one that is cut closes its connection.",
		Code: javaTimeout,
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "java", Protocol: HTTP, Source: "https://docs.oracle.com/en/java/javase/21/docs/api/java.net.http/module-summary.html",
		Fix: "Set -Djdk.httpclient.keepalive.timeout below the server's idle timeout (before JDK 20 it is 1200 s); with Apache's client setValidateAfterInactivity or evictIdleConnections.",
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "java", Source: hikari,
		Fix:  "Set maxLifetime and keepaliveTime of HikariCP below what the server and the firewalls between allow.",
		Code: javaPool,
	},
	{
		Kinds: "ungraceful-shutdown", Runtime: "java", Source: "https://docs.spring.io/spring-boot/reference/web/graceful-shutdown.html",
		Fix: "On SIGTERM stop the listener and wait: server.shutdown=graceful of Spring Boot, HttpServer.stop(30) in a shutdown hook, setStopTimeout of Jetty.",
	},
	{
		Kinds: "load-imbalance", Runtime: "java", Source: "https://square.github.io/okhttp/5.x/okhttp/okhttp3/-connection-pool/",
		Fix: "Call evictAll() of OkHttp's ConnectionPool from time to time, or setTimeToLive of Apache's pool, so that a server is chosen again; cache names briefly (networkaddress.cache.ttl).",
	},

	// Ruby, PHP, Perl, .NET and Erlang: the commonest kinds.
	{
		Kinds: "connection-churn idle-connections-not-reused connection-growth port-exhaustion", Runtime: "ruby", Protocol: HTTP, Source: "https://docs.ruby-lang.org/en/3.3/Net/HTTP.html#class-Net::HTTP-label-Sessions",
		Fix:  "Open one session and send every request through it: Net::HTTP.start(host) do |http| … end, net-http-persistent, or Faraday with that adapter; Net::HTTP.get opens a connection for each call.",
		Code: rubyHTTP,
	},
	{
		Kinds: "connection-churn idle-connections-not-reused connection-growth pool-exhaustion", Runtime: "ruby", Protocol: "postgres", Source: "https://api.rubyonrails.org/classes/ActiveRecord/ConnectionAdapters/ConnectionPool.html",
		Fix: "Borrow with ActiveRecord::Base.connection_pool.with_connection { … } in threads of your own, which gives the connection back; size pool: in database.yml to the threads of a process.",
	},
	{
		Kinds: "close-wait-leak connection-growth", Runtime: "ruby", Source: "https://docs.ruby-lang.org/en/3.3/TCPSocket.html",
		Fix: "Close the socket when read returns nil: TCPSocket.open(host, port) { |s| … } does it in every path; call finish on each Net::HTTP that was started without a block.",
	},
	{
		Kinds: "request-stalled connect-stalled", Runtime: "ruby", Source: "https://docs.ruby-lang.org/en/3.3/Net/HTTP.html#attribute-i-read_timeout",
		Fix: "Set open_timeout and read_timeout (60 s each by default in Net::HTTP), connect_timeout of a database's adapter, and statement_timeout; a raw TCPSocket has none: pass connect_timeout:.",
	},
	{
		Kinds: "inherited-connections", Runtime: "ruby", Source: "https://github.com/puma/puma/blob/master/docs/fork_worker.md",
		Fix: "A fork copies every open socket: disconnect in before_fork and connect again in before_worker_boot (on_worker_boot before Puma 7).",
	},
	{
		Kinds: "connection-churn idle-connections-not-reused connection-growth port-exhaustion", Runtime: "php", Protocol: HTTP, Source: "https://www.php.net/manual/en/function.curl-init.php",
		Fix:  "Make one curl handle (Guzzle: one GuzzleHttp\\Client) and use it for all requests of the process: curl_init for each opens a connection each, and file_get_contents always does.",
		Code: phpCurl,
	},
	{
		Kinds: "connection-churn port-exhaustion idle-connections-not-reused", Runtime: "php", Protocol: "mysql", Source: "https://www.php.net/manual/en/pdo.connections.php",
		Fix: "Use persistent connections (PDO::ATTR_PERSISTENT => true, the prefix p: of mysqli): else each request of php-fpm opens one. The server's limit must allow for pm.max_children of each machine.",
	},
	{
		Kinds: "connection-churn port-exhaustion idle-connections-not-reused", Runtime: "php", Protocol: "postgres", Source: "https://www.php.net/manual/en/pdo.connections.php",
		Fix: "Use persistent connections (PDO::ATTR_PERSISTENT => true, pg_pconnect) or PgBouncer: else each request of php-fpm opens one. The server's limit must allow for pm.max_children of each machine.",
	},
	{
		Kinds: "connection-churn port-exhaustion idle-connections-not-reused", Runtime: "php", Protocol: "redis", Source: "https://github.com/phpredis/phpredis#pconnect-popen",
		Fix: "Use $redis->pconnect(): connect() opens a connection in each request of php-fpm.",
	},
	{
		Kinds: "connection-growth close-wait-leak", Runtime: "php", Source: "https://www.php.net/manual/en/function.fclose.php",
		Fix: "In a worker that runs on, call fclose or socket_close when feof is true and in finally, and set what holds a connection to null ($pdo = null): PHP closes by itself only at the end of a request.",
	},
	{
		Kinds: "request-stalled connect-stalled", Runtime: "php", Source: "https://www.php.net/manual/en/function.curl-setopt.php",
		Fix: "Set CURLOPT_CONNECTTIMEOUT and CURLOPT_TIMEOUT (0 is none), default_socket_timeout for streams, and PDO::ATTR_TIMEOUT.",
	},
	{
		Kinds: "connection-churn idle-connections-not-reused connection-growth port-exhaustion", Runtime: "perl", Protocol: HTTP, Source: "https://metacpan.org/pod/LWP::UserAgent#keep_alive",
		Fix:  "Make one LWP::UserAgent->new(keep_alive => 10) (or HTTP::Tiny, which keeps connections) and use it for all requests: LWP closes after each by default.",
		Code: perlLWP,
	},
	{
		Kinds: "connection-churn idle-connections-not-reused connection-growth pool-exhaustion", Runtime: "perl", Protocol: "postgres", Source: "https://metacpan.org/pod/DBI#connect_cached",
		Fix: "Use DBI->connect_cached, or DBIx::Connector, instead of DBI->connect in each call, and call $dbh->disconnect when the work is done.",
	},
	{
		Kinds: "close-wait-leak connection-growth", Runtime: "perl", Source: "https://perldoc.perl.org/IO::Socket",
		Fix: "Call $sock->close when sysread returns 0, and keep no reference to it: a socket is closed when the last reference is gone.",
	},
	{
		Kinds: "request-stalled connect-stalled", Runtime: "perl", Source: "https://metacpan.org/pod/LWP::UserAgent#timeout",
		Fix: "Set timeout of LWP::UserAgent (180 s by default, for each read) or HTTP::Tiny (60 s); for a socket of your own wrap the read in alarm or IO::Select->can_read(10).",
	},
	{
		Kinds: "inherited-connections", Runtime: "perl", Source: "https://metacpan.org/pod/DBI#AutoInactiveDestroy",
		Fix: "A fork copies every open socket: connect after the fork, close in the child what it does not use, and set AutoInactiveDestroy on database handles.",
	},
	{
		Kinds: "connection-churn idle-connections-not-reused connection-growth port-exhaustion", Runtime: "dotnet", Protocol: HTTP, Source: "https://learn.microsoft.com/dotnet/fundamentals/networking/http/httpclient-guidelines",
		Fix:  "Share one HttpClient with a SocketsHttpHandler (PooledConnectionLifetime), or use IHttpClientFactory: using var client = new HttpClient() in each call leaves a socket in TIME_WAIT each.",
		Code: dotnetClient,
	},
	{
		Kinds: "connection-growth pool-exhaustion", Runtime: "dotnet", Source: "https://learn.microsoft.com/dotnet/framework/data/adonet/sql-server-connection-pooling",
		Fix: "Put await using (using) before each connection, command and reader: Dispose gives it back to the pool; then size Max Pool Size.",
	},
	{
		Kinds: "response-body-leak close-wait-leak", Runtime: "dotnet", Source: "https://learn.microsoft.com/dotnet/api/system.net.http.httpcompletionoption",
		Fix: "Dispose every HttpResponseMessage (using var response = …), above all with ResponseHeadersRead; of a Socket, call Dispose when Receive returns 0.",
	},
	{
		Kinds: "request-stalled", Runtime: "dotnet", Source: "https://learn.microsoft.com/dotnet/api/system.net.http.httpclient.timeout",
		Fix: "Set HttpClient.Timeout (100 s by default), or pass a CancellationToken with a deadline; CommandTimeout of a database's command.",
	},
	{
		Kinds: "connect-stalled", Runtime: "dotnet", Source: "https://learn.microsoft.com/dotnet/api/system.net.http.socketshttphandler.connecttimeout",
		Fix: "Set SocketsHttpHandler.ConnectTimeout to a few seconds: by default it is infinite, and HttpClient.Timeout alone ends the attempt.",
	},
	{
		Kinds: "idle-timeout-missing stale-connection-reuse load-imbalance", Runtime: "dotnet", Protocol: HTTP, Source: "https://learn.microsoft.com/dotnet/api/system.net.http.socketshttphandler",
		Fix:  "Set PooledConnectionIdleTimeout below the server's idle timeout and PooledConnectionLifetime to some minutes.",
		Code: dotnetClient,
	},
	{
		Kinds: "connection-churn idle-connections-not-reused port-exhaustion", Runtime: "erlang", Protocol: HTTP, Source: "https://www.erlang.org/doc/apps/inets/httpc.html",
		Fix: "Use one profile of httpc with keep_alive_timeout and max_sessions, or a pool of hackney, gun or Finch that the supervisor starts: hackney with {pool, false} connects for each request.",
	},
	{
		Kinds: "connection-growth close-wait-leak", Runtime: "erlang", Source: "https://www.erlang.org/doc/apps/kernel/gen_tcp.html#close/1",
		Fix: "Handle {tcp_closed, Socket} and call gen_tcp:close/1: with {active, false} it only shows in recv, and with {exit_on_close, false} the socket stays; of hackney read the body or call hackney:close/1.",
	},
	{
		Kinds: "request-stalled connect-stalled", Runtime: "erlang", Source: "https://www.erlang.org/doc/apps/inets/httpc.html#request/5",
		Fix: "Pass {timeout, 10000} and {connect_timeout, 3000} to httpc:request (infinity by default), recv_timeout to hackney, and a timeout to gen_tcp:recv/3 and connect/4.",
	},
	{
		Kinds: "half-open-connections server-idle-clients", Runtime: "erlang", Source: "https://ninenines.eu/docs/en/cowboy/2.12/manual/cowboy_http/",
		Fix: "Set idle_timeout and request_timeout of cowboy, and {send_timeout, 30000} with {send_timeout_close, true} on the socket.",
	},

	// nginx.
	{
		Kinds: "connection-churn port-exhaustion", Runtime: "nginx", Source: nginxUp,
		Fix:  "Keep connections to the upstreams: keepalive 32 in the upstream block, with proxy_http_version 1.1 and proxy_set_header Connection \"\" in the location.",
		Code: nginxKeepalive,
	},
	{
		Kinds: "idle-timeout-missing stale-connection-reuse", Runtime: "nginx", Source: nginxUp,
		Fix:  "Set keepalive_timeout in the upstream block (60 s by default) below the idle timeout of the upstream server, which otherwise closes first: \"upstream prematurely closed connection\".",
		Code: nginxKeepalive,
	},
	{
		Kinds: "server-idle-clients", Runtime: "nginx", Source: nginxCore + "#keepalive_timeout",
		Fix:  "Lower keepalive_timeout (75 s by default), client_header_timeout and client_body_timeout, and set reset_timedout_connection on; of upgraded connections proxy_read_timeout decides.",
		Code: nginxTimeouts,
	},
	{
		Kinds: "connection-growth half-open-connections", Runtime: "nginx", Source: nginxProxy + "#proxy_read_timeout",
		Fix: "Set proxy_read_timeout and proxy_send_timeout (60 s by default) for what is upgraded or streamed, send_timeout towards clients, and so_keepalive=on in listen: a long one keeps dead peers.",
	},
	{
		Kinds: "close-wait-leak", Runtime: "nginx", Source: nginxProxy + "#proxy_ignore_client_abort",
		Fix: "Leave proxy_ignore_client_abort off, so that the upstream's connection is closed when the client leaves, and see what the worker waits for: proxy_read_timeout ends it.",
	},
	{
		Kinds: "request-stalled connect-stalled", Runtime: "nginx", Source: nginxProxy + "#proxy_connect_timeout",
		Fix:  "Set proxy_connect_timeout to a few seconds and proxy_read_timeout to what the upstream may take, with proxy_next_upstream for others; then look at the upstream.",
		Code: nginxTimeouts,
	},
	{
		Kinds: "accept-queue-overflow accept-stalled", Runtime: "nginx", Source: nginxCore + "#listen",
		Fix: "Raise backlog= in listen (511 by default) with net.core.somaxconn, worker_connections and worker_processes, and use reuseport.",
	},
	{
		Kinds: "fd-exhaustion", Runtime: "nginx", Source: "https://nginx.org/en/docs/ngx_core_module.html#worker_rlimit_nofile",
		Fix: "Raise worker_rlimit_nofile to at least twice worker_connections: a proxied request has two sockets.",
	},
	{
		Kinds: "load-imbalance", Runtime: "nginx", Source: nginxUp,
		Fix: "Use least_conn in the upstream block, set keepalive_requests and keepalive_time there, and resolve names again (server … resolve, with a resolver).",
	},
	{
		Kinds: "ungraceful-shutdown", Runtime: "nginx", Source: "https://nginx.org/en/docs/control.html",
		Fix: "Send QUIT instead of TERM, and set worker_shutdown_timeout: TERM cuts requests off.",
	},

	// HAProxy.
	{
		Kinds: "connection-churn port-exhaustion", Runtime: "haproxy", Source: haproxyDoc + "#http-reuse",
		Fix:  "Keep connections to the servers: option http-keep-alive (not httpclose or http-server-close), http-reuse safe or aggressive, and pool-max-conn and pool-purge-delay on the server lines.",
		Code: haproxyReuse,
	},
	{
		Kinds: "connection-growth half-open-connections close-wait-leak half-closed-connections", Runtime: "haproxy", Source: haproxyDoc + "#timeout%20tunnel",
		Fix:  "Set timeout client, timeout server, timeout tunnel and timeout client-fin; and hard-stop-after, so that old processes end after a reload instead of keeping their connections.",
		Code: haproxyTimeouts,
	},
	{
		Kinds: "server-idle-clients", Runtime: "haproxy", Source: haproxyDoc + "#timeout%20http-keep-alive",
		Fix:  "Set timeout http-keep-alive and timeout http-request: without, timeout client alone ends an idle client.",
		Code: haproxyTimeouts,
	},
	{
		Kinds: "request-stalled connect-stalled", Runtime: "haproxy", Source: haproxyDoc + "#timeout%20server",
		Fix:  "Set timeout connect to a few seconds and timeout server to what the servers may take, with retries and option redispatch; then look at the server.",
		Code: haproxyTimeouts,
	},
	{
		Kinds: "stale-connection-reuse idle-timeout-missing", Runtime: "haproxy", Source: haproxyDoc + "#pool-purge-delay",
		Fix:  "Set pool-purge-delay (5 s by default) below the servers' idle timeout, and retry-on conn-failure empty-response for requests that may be repeated.",
		Code: haproxyReuse,
	},
	{
		Kinds: "ungraceful-shutdown", Runtime: "haproxy", Source: "https://docs.haproxy.org/2.8/management.html#4",
		Fix: "Stop with SIGUSR1 (soft stop) and set hard-stop-after: SIGTERM cuts requests off.",
	},
	{
		Kinds: "pool-exhaustion", Runtime: "haproxy", Source: haproxyDoc + "#5.2-maxconn",
		Fix: "Raise maxconn of the server lines to what the servers take, and set timeout queue: requests above it wait in the queue of the backend.",
	},
	{
		Kinds: "fd-exhaustion accept-stalled accept-queue-overflow", Runtime: "haproxy", Source: haproxyDoc + "#3.2-maxconn",
		Fix: "Raise the global maxconn (it stops accepting there, and derives the descriptor limit from it), the backlog of the frontend, and net.core.somaxconn.",
	},
	{
		Kinds: "load-imbalance", Runtime: "haproxy", Source: haproxyDoc + "#balance",
		Fix: "Use balance leastconn for long connections, and http-reuse with option http-keep-alive, so that requests and not connections are balanced.",
	},

	// Envoy.
	{
		Kinds: "connection-churn port-exhaustion", Runtime: "envoy", Source: "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/connection_pooling",
		Fix: "Leave max_requests_per_connection of the cluster unset (no limit), raise its idle_timeout, and see why upstreams answer Connection: close (upstream_cx_destroy_remote).",
	},
	{
		Kinds: "connection-growth server-idle-clients half-open-connections idle-timeout-missing", Runtime: "envoy", Source: envoyDoc,
		Fix: "Set idle_timeout in common_http_protocol_options of listener and cluster (1 h by default), stream_idle_timeout, idle_timeout of tcp_proxy, and HTTP/2 connection_keepalive.",
	},
	{
		Kinds: "stale-connection-reuse", Runtime: "envoy", Source: envoyDoc,
		Fix: "Set the cluster's idle_timeout below that of the upstreams, and retry_on: reset-before-request.",
	},
	{
		Kinds: "request-stalled connect-stalled", Runtime: "envoy", Source: envoyDoc,
		Fix: "Set connect_timeout of the cluster (5 s by default) and the route's timeout (15 s), and per_try_timeout with retries.",
	},
	{
		Kinds: "pool-exhaustion", Runtime: "envoy", Source: "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking",
		Fix: "Raise max_connections and max_pending_requests in the cluster's circuit_breakers (1024 by default): upstream_rq_pending_overflow counts what was refused.",
	},

	// Databases and other servers.
	{
		Kinds: "server-idle-clients connection-growth", Runtime: "postgres", Source: pgClient + "#GUC-IDLE-SESSION-TIMEOUT",
		Fix: "Set idle_session_timeout and idle_in_transaction_session_timeout (both off by default), and put PgBouncer in front of clients that keep more than they use; pg_stat_activity says who they are.",
	},
	{
		Kinds: "half-open-connections", Runtime: "postgres", Source: pgConn + "#GUC-TCP-KEEPALIVES-IDLE",
		Fix: "Set tcp_keepalives_idle, tcp_keepalives_interval and tcp_user_timeout, and client_connection_check_interval for long queries.",
	},
	{
		Kinds: "fd-exhaustion accept-queue-overflow accept-stalled", Runtime: "postgres", Source: pgConn + "#GUC-MAX-CONNECTIONS",
		Fix: "Put PgBouncer in front rather than raise max_connections: each connection is a process with its memory.",
	},
	{
		Kinds: "server-idle-clients connection-growth", Runtime: "redis", Source: redisDoc + "#client-timeouts",
		Fix: "Set timeout (0, never, by default; it leaves subscribers alone), look at CLIENT LIST for age and idle, and fix the client that connects without closing; maxclients only bounds it.",
	},
	{
		Kinds: "half-open-connections", Runtime: "redis", Source: redisDoc + "#tcp-keepalive",
		Fix: "Leave tcp-keepalive at 300 s or lower it, and set client-output-buffer-limit for pubsub: a subscriber that is gone holds its buffer.",
	},
	{
		Kinds: "fd-exhaustion", Runtime: "redis", Source: redisDoc + "#maximum-concurrent-connected-clients",
		Fix: "Raise the descriptor limit above maxclients plus 32, or Redis lowers maxclients by itself: \"max number of clients reached\".",
	},
	{
		Kinds: "accept-queue-overflow", Runtime: "redis", Source: redisDoc,
		Fix: "Raise tcp-backlog (511 by default) with net.core.somaxconn, and look for slow commands (SLOWLOG): nobody accepts while one runs.",
	},
	{
		Kinds: "server-idle-clients connection-growth", Runtime: "mysql", Source: "https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_wait_timeout",
		Fix: "Lower wait_timeout (28800 s by default) above the idle time of the clients' pools, and see SHOW PROCESSLIST for who sleeps; max_connections only bounds it.",
	},
	{
		Kinds: "fd-exhaustion accept-queue-overflow", Runtime: "mysql", Source: "https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_back_log",
		Fix: "Raise back_log with net.core.somaxconn, and open_files_limit; size max_connections to the sum of the clients' pools: \"Too many connections\".",
	},
	{
		Kinds: "server-idle-clients connection-growth", Runtime: "apache", Source: "https://httpd.apache.org/docs/2.4/mod/core.html#keepalivetimeout",
		Fix: "Lower KeepAliveTimeout (5 s by default), set RequestReadTimeout, and use the event MPM: with prefork each idle client holds a process.",
	},
	{
		Kinds: "connection-churn port-exhaustion stale-connection-reuse", Runtime: "apache", Source: "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass",
		Fix: "Leave keep-alive to the backend on (no SetEnv proxy-nokeepalive, no disablereuse), and set ttl= on ProxyPass below the backend's idle timeout.",
	},
	{
		Kinds: "accept-queue-overflow accept-stalled", Runtime: "apache", Source: "https://httpd.apache.org/docs/2.4/mod/mpm_common.html#listenbacklog",
		Fix: "Raise MaxRequestWorkers (\"server reached MaxRequestWorkers\" in the log), and ListenBacklog with net.core.somaxconn.",
	},
	{
		Kinds: "server-idle-clients connection-growth half-open-connections", Runtime: "sshd", Source: "sshd_config(5)",
		Fix: "Set ClientAliveInterval and ClientAliveCountMax, which end sessions whose client is gone, LoginGraceTime for those before log-in, and ChannelTimeout with UnusedConnectionTimeout for idle ones.",
	},
	{
		Kinds: "server-idle-clients connection-growth", Runtime: "vsftpd", Source: "vsftpd.conf(5)",
		Fix: "Lower idle_session_timeout (300 s by default) and data_connection_timeout, and set max_clients and max_per_ip.",
	},
	{
		Kinds: "descriptor-leak", Runtime: "vsftpd", Of: tcpListen, Source: "vsftpd.conf(5)",
		Fix: "Bound the passive listeners with pasv_min_port and pasv_max_port, and set accept_timeout (60 s by default), which closes those that nobody uses.",
	},
	{
		Kinds: "server-idle-clients connection-growth half-open-connections", Runtime: "mosquitto", Source: "mosquitto.conf(5)",
		Fix: "Set max_keepalive, so that no client can switch its keep-alive off, and max_connections on the listener; a client that is gone ends after 1.5 times its keep-alive.",
	},
	{
		Kinds: "server-idle-clients connection-growth", Runtime: "slapd", Source: "slapd.conf(5), idletimeout",
		Fix: "Set idletimeout (0, never, by default) and writetimeout, and look for the client that binds without unbinding: cn=Connections,cn=Monitor lists them.",
	},
	{
		Kinds: "half-open-connections", Runtime: "slapd", Source: "ldap.conf(5), slapd-config(5)",
		Fix: "Set olcWriteTimeout and olcIdleTimeout, and net.ipv4.tcp_keepalive_time: slapd turns keep-alive probes on, and the kernel's first comes after two hours.",
	},
	{
		Kinds: "server-idle-clients connection-growth", Runtime: "rabbitmq", Source: "https://www.rabbitmq.com/docs/connections",
		Fix: "Keep heartbeats on (60 s by default), limit with connection_max and channel_max, and look for the client that opens a connection for each message: rabbitmqctl list_connections.",
	},
	{
		Kinds: "server-idle-clients connection-growth", Runtime: "dovecot", Source: "https://doc.dovecot.org/2.3/configuration_manual/service_configuration/",
		Fix: "Limit with mail_max_userip_connections and client_limit; an IMAP client in IDLE is meant to stay, and Dovecot ends silent ones after 30 minutes.",
	},

	// Protocols, whatever the runtime.
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused close-wait-leak", Protocol: "ldap", Source: "RFC 4511 section 4.3",
		Fix: "Unbind and close each LDAP connection when its work is done, in every path, or keep one connection bound and share it; an unbind without a close leaves the socket.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused close-wait-leak half-closed-connections", Runtime: "go", Protocol: "ldap", Source: "https://pkg.go.dev/github.com/go-ldap/ldap/v3#Conn.Close",
		Fix:  "Put defer conn.Close() after each ldap.DialURL, also where the bind fails, or keep one connection bound and share it.",
		Code: goLDAP,
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused close-wait-leak", Runtime: "python", Protocol: "ldap", Source: "https://ldap3.readthedocs.io/en/latest/connection.html",
		Fix:  "Use each ldap3.Connection in a with statement, or call unbind() in finally (python-ldap: unbind_s()), also where the bind fails.",
		Code: pyLDAP,
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused half-closed-connections close-wait-leak", Protocol: "smtp", Source: "RFC 5321 section 3.8",
		Fix: "Send QUIT, read the 221 and close the socket, in every path; send several messages over one connection instead of one each.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused half-closed-connections close-wait-leak", Runtime: "node", Protocol: "smtp", Source: "https://nodemailer.com/smtp/pooled/",
		Fix: "Make one nodemailer transport with pool: true when the program starts and share it; call close() on each transport, or SMTPConnection, that you make for one message.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused half-closed-connections close-wait-leak", Runtime: "python", Protocol: "smtp", Source: "https://docs.python.org/3/library/smtplib.html",
		Fix:  "Use each smtplib.SMTP in a with statement, which sends QUIT and closes, and send several messages over one.",
		Code: pySMTP,
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused half-closed-connections close-wait-leak", Protocol: "ftp", Source: "RFC 959 section 4.1.1",
		Fix: "Send QUIT and close the control connection when the work is done, and close each data connection after its transfer, also after an error.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused half-closed-connections close-wait-leak", Runtime: "python", Protocol: "ftp", Source: "https://docs.python.org/3/library/ftplib.html",
		Fix:  "Use each ftplib.FTP in a with statement, which sends QUIT and closes; after ntransfercmd() close the data connection, too.",
		Code: pyFTP,
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused close-wait-leak", Protocol: "amqp", Source: "https://www.rabbitmq.com/docs/connections#high-connection-churn",
		Fix: "Open one AMQP connection when the program starts and share it, with one channel for each thread; a connection for each message costs seven round trips.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused close-wait-leak", Protocol: "mqtt", Source: "MQTT 5.0 section 3.1",
		Fix: "Open one MQTT connection with a fixed client id when the program starts and publish through it; send DISCONNECT and close when the work is done.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused", Protocol: "kafka", Source: "https://kafka.apache.org/documentation/#producerconfigs",
		Fix: "Make one producer when the program starts and share it: each has a connection to each broker. Close producers and consumers that are not used any more.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused", Protocol: "mongodb", Source: "https://www.mongodb.com/docs/manual/administration/connection-pool-overview/",
		Fix: "Make one MongoClient when the program starts and share it: each has a pool (maxPoolSize) and monitor connections of its own.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused", Protocol: "grpc", Source: "https://grpc.io/docs/guides/performance/",
		Fix: "Make one channel (Go: grpc.NewClient) when the program starts and share it; close each that you make for one call.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused", Protocol: "postgres", Source: "https://wiki.postgresql.org/wiki/Number_Of_Database_Connections",
		Fix: "Make one pool when the program starts and borrow from it, instead of a connection for each query, or put PgBouncer before the server.",
	},
	{
		Kinds: "pool-exhaustion", Protocol: "postgres", Source: pgClient + "#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT",
		Fix: "Give each connection back in finally, and end each transaction: pg_stat_activity shows who is \"idle in transaction\", and idle_in_transaction_session_timeout ends them.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused", Protocol: "mysql", Source: "https://dev.mysql.com/doc/refman/8.4/en/too-many-connections.html",
		Fix: "Make one pool when the program starts and borrow from it, instead of a connection for each query.",
	},
	{
		Kinds: "connection-churn connection-growth idle-connections-not-reused", Protocol: "redis", Source: redisDoc,
		Fix: "Make one client when the program starts and share it, and close each subscriber when its reader leaves: a subscription holds a connection of its own.",
	},
}

// The code. In Go each is top-level declarations.
const (
	goClient = `var client = &http.Client{Timeout: 10 * time.Second, Transport: transport()}

func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 20           // as many as there are requests at once; the default is 2
	t.IdleConnTimeout = 30 * time.Second // below the server's
	return t
}`
	goBody = `func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body) // to its end: the connection is used again
}`
	goDial = `func subscribe(ctx context.Context, addr string, handle func(net.Conn) error) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close() // in every path
	return handle(conn)
}`
	goServe = `func serve(conn net.Conn) {
	defer conn.Close()
	for {
		buf := make([]byte, 4096)
		n, err := conn.Read(buf)
		if err != nil { // io.EOF: the other end has closed
			return
		}
		if _, err := conn.Write(buf[:n]); err != nil {
			return
		}
	}
}`
	goHalfClose = `func finish(conn *net.TCPConn) error {
	defer conn.Close()
	if err := conn.CloseWrite(); err != nil { // sends the FIN
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn) // until the other end closes
	return err
}`
	goUDP = `func send(addr string, messages <-chan []byte) error {
	conn, err := net.Dial("udp", addr) // one socket for all
	if err != nil {
		return err
	}
	defer conn.Close()
	for m := range messages {
		if _, err := conn.Write(m); err != nil {
			return err
		}
	}
	return nil
}`
	goListener = `func receiveOne(ctx context.Context) (net.Conn, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	stop := context.AfterFunc(ctx, func() { listener.Close() }) // nobody may come
	defer stop()
	return listener.Accept()
}`
	goFile = `func descriptor(conn *net.TCPConn, use func(fd uintptr)) error {
	raw, err := conn.SyscallConn() // not conn.File(), which is a copy to be closed as well
	if err != nil {
		return err
	}
	return raw.Control(use)
}`
	goDeadline = `var client = &http.Client{Timeout: 10 * time.Second} // for all of a request, with its body

func exec(parent context.Context, db *sql.DB, query string) error {
	ctx, cancel := context.WithTimeout(parent, 5*time.Second)
	defer cancel()
	_, err := db.ExecContext(ctx, query)
	return err
}`
	goDialTimeout = `func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 3 * time.Second}).DialContext
	return t
}`
	goAccept = `func run(listener net.Listener, serve func(net.Conn)) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go serve(conn) // which closes it
	}
}`
	goDB = `func open(dsn string) (*sql.DB, error) {
	db, err := sql.Open("pgx", dsn) // once; db is a pool
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20) // the default is 2
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}`
	goRows = `func names(ctx context.Context, db *sql.DB) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // for the wait, too
	defer cancel()
	rows, err := db.QueryContext(ctx, "SELECT name FROM users")
	if err != nil {
		return nil, err
	}
	defer rows.Close() // gives the connection back in every path
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}`
	goServer = `var server = &http.Server{
	ReadHeaderTimeout: 5 * time.Second,
	IdleTimeout:       time.Minute,
}`
	goWriteDeadline = `func push(w http.ResponseWriter, event []byte) error {
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := w.Write(event); err != nil {
		return err
	}
	return c.Flush()
}`
	goRetry = `func retry(ctx context.Context, budget *rate.Limiter, try func() error) (err error) {
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		if err = try(); err == nil || !budget.Allow() {
			return err
		}
		select {
		case <-time.After(rand.N(wait)): // jitter
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}`
	goShutdown = `func run(server *http.Server) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return server.Shutdown(last) // returns when the requests under way are done
}`
	goRebalance = `func rebalance(ctx context.Context, client *http.Client) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			client.CloseIdleConnections()
		case <-ctx.Done():
			return
		}
	}
}`
	goLDAP = `func login(url, dn, password string) error {
	conn, err := ldap.DialURL(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Bind(dn, password)
}`

	pySession = `import requests
from requests.adapters import HTTPAdapter

session = requests.Session()  # one for the whole program
session.mount("https://", HTTPAdapter(pool_maxsize=20, pool_block=True))

def fetch(url):
    return session.get(url, timeout=(3, 10)).json()`
	pyWith = `import socket

def ask(addr, request):
    with socket.create_connection(addr, timeout=3) as s:  # closed in every path
        s.sendall(request)
        return s.recv(4096)`
	pyBody = `def download(session, url, file):
    with session.get(url, stream=True, timeout=(3, 10)) as r:  # closes, or gives back
        for part in r.iter_content(65536):
            file.write(part)`
	pyServe = `def serve(sock):
    with sock:  # closes in every path
        while data := sock.recv(4096):  # b"": the other end has closed
            sock.sendall(data)`
	pyHalfClose = `import socket

def finish(sock):
    with sock:
        sock.shutdown(socket.SHUT_WR)  # sends the FIN
        sock.settimeout(5)
        while sock.recv(4096):  # until the other end closes
            pass`
	pyUDP = `import socket

def send(addr, messages):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:  # one for all
        for m in messages:
            s.sendto(m, addr)`
	pySpawn = `import multiprocessing

def main(work):
    multiprocessing.set_start_method("spawn")  # a new interpreter, without the sockets
    with multiprocessing.Pool(4) as pool:
        pool.map(work, range(100))`
	pyTimeout = `import socket
import requests

session = requests.Session()

def fetch(url):
    return session.get(url, timeout=(3, 10))  # to connect, between two reads

def connect(addr):
    sock = socket.create_connection(addr, timeout=3)
    sock.settimeout(10)
    return sock`
	pyAccept = `import socket
from concurrent.futures import ThreadPoolExecutor

def run(port, serve):
    with socket.create_server(("", port), backlog=1024) as server, ThreadPoolExecutor(64) as pool:
        while True:
            conn, _ = server.accept()
            pool.submit(serve, conn)  # which closes it`
	pyPool = `from psycopg_pool import ConnectionPool

pool = ConnectionPool("dbname=app", max_size=20, timeout=5)  # one for the whole program

def names():
    with pool.connection() as conn:  # given back in every path
        return conn.execute("SELECT name FROM users").fetchall()`
	pyPutConn = `def names(pool):
    conn = pool.getconn()
    try:
        with conn, conn.cursor() as cursor:  # ends the transaction; does not give conn back
            cursor.execute("SELECT name FROM users")
            return cursor.fetchall()
    finally:
        pool.putconn(conn)`
	pyPubSub = `import redis

client = redis.Redis(socket_timeout=10, health_check_interval=30)  # one; it has a pool

def follow(channel):
    with client.pubsub() as messages:  # gives its connection back
        messages.subscribe(channel)
        for m in messages.listen():
            yield m`
	pyServerTimeout = `from http.server import BaseHTTPRequestHandler

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds of silence; the default is none`
	pyUserTimeout = `import socket

def guard(sock):
    # unacknowledged data ends the connection after 30 s, instead of about 15 minutes
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)`
	pyRetry = `import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

retry = Retry(total=3, connect=1, read=1, backoff_factor=0.5, status_forcelist=[503], respect_retry_after_header=True)
session = requests.Session()
session.mount("https://", HTTPAdapter(max_retries=retry))`
	pyPrePing = `from sqlalchemy import create_engine

engine = create_engine("postgresql+psycopg://db/app", pool_pre_ping=True, pool_recycle=300)`
	pyShutdown = `import signal
import threading

def run(server):  # a ThreadingHTTPServer
    server.daemon_threads = False  # server_close waits for the requests under way
    stop = lambda *_: threading.Thread(target=server.shutdown).start()
    signal.signal(signal.SIGTERM, stop)
    with server:
        server.serve_forever()`
	pyLDAP = `import ldap3

def login(uri, dn, password):
    with ldap3.Connection(ldap3.Server(uri, connect_timeout=3), dn, password) as conn:
        return conn.bound`
	pySMTP = `import smtplib

def send(host, messages):
    with smtplib.SMTP(host, timeout=10) as server:  # QUIT, then close
        for m in messages:
            server.send_message(m)`
	pyFTP = `import ftplib

def upload(host, name, file):
    with ftplib.FTP(host, timeout=10) as ftp:  # QUIT, then close
        ftp.login()
        ftp.storbinary(f"STOR {name}", file)`

	nodeAgent = `import http from 'node:http';

// One for the whole program. An Agent of one's own never closes idle sockets without timeout.
const agent = new http.Agent({ keepAlive: true, maxSockets: 20, timeout: 4_000 });

export const get = (url, onResponse) => http.get(url, { agent }, onResponse);`
	nodeSocket = `import net from 'node:net';

export function connect(port, host) {
  const socket = net.connect(port, host);
  socket.setTimeout(3_000, () => socket.destroy(new Error('timeout')));
  socket.once('connect', () => socket.setTimeout(10_000)); // of silence, from now on
  socket.on('error', () => socket.destroy());
  return socket;
}`
	nodeBody = `import http from 'node:http';

export function touch(url) {
  http.get(url, (res) => res.resume()); // consumed, though only the status matters
}

export async function status(url) {
  const res = await fetch(url);
  await res.body?.cancel();
  return res.status;
}`
	nodeEnd = `import net from 'node:net';

net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.resume(); // 'end' comes only when all was read
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
}).listen(8000);`
	nodeHalfClose = `export function finish(socket) {
  socket.end(); // sends the FIN
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), 5_000);
  socket.once('close', () => clearTimeout(timer));
}`
	nodeUDP = `import dgram from 'node:dgram';

const socket = dgram.createSocket('udp4'); // one for all messages

export const send = (message, port, host) => socket.send(message, port, host);`
	nodeListener = `import net from 'node:net';

export function receiveOne(onSocket) {
  const server = net.createServer({ pauseOnConnect: false }, (socket) => {
    done();
    onSocket(socket);
  }).listen(0);
  const timer = setTimeout(done, 10_000); // nobody may come
  function done() {
    clearTimeout(timer);
    server.close();
  }
  return server;
}`
	nodeTimeout = `export async function get(url) {
  const res = await fetch(url, { signal: AbortSignal.timeout(10_000) }); // for the body, too
  return res.json();
}`
	nodePool = `import pg from 'pg';

const pool = new pg.Pool({ max: 20, connectionTimeoutMillis: 5_000, idleTimeoutMillis: 10_000 }); // one

export async function transfer(work) {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release(); // in every path
  }
}`
	nodeRedis = `import { createClient } from 'redis';

const subscriber = await createClient().connect(); // one for all channels

export async function follow(channel, signal, onMessage) {
  await subscriber.subscribe(channel, onMessage);
  signal.addEventListener('abort', () => subscriber.unsubscribe(channel, onMessage));
}`
	nodeServer = `import http from 'node:http';

const server = http.createServer((req, res) => res.end('ok'));
server.keepAliveTimeout = 60_000; // above the idle time of a balancer before it
server.headersTimeout = 65_000;
server.requestTimeout = 30_000;
server.on('upgrade', (req, socket) => socket.setTimeout(60_000, () => socket.destroy()));
server.listen(8000);`
	nodePing = `export function watch(wss) { // a WebSocketServer of ws
  wss.on('connection', (ws) => {
    ws.isAlive = true;
    ws.on('pong', () => { ws.isAlive = true; });
  });
  return setInterval(() => {
    for (const ws of wss.clients) {
      if (!ws.isAlive) { ws.terminate(); continue; }
      ws.isAlive = false;
      ws.ping();
    }
  }, 30_000);
}`
	nodeRetry = `import { Agent, RetryAgent } from 'undici';

export const dispatcher = new RetryAgent(new Agent({ keepAliveTimeout: 4_000 }), {
  maxRetries: 2, minTimeout: 200, maxTimeout: 5_000, timeoutFactor: 2, retryAfter: true,
});`
	nodeReused = `import http from 'node:http';

export function get(url, options, onResponse, onError) {
  const req = http.get(url, options, onResponse);
  req.on('error', (err) => {
    if (req.reusedSocket && err.code === 'ECONNRESET') get(url, options, onResponse, onError);
    else onError(err);
  });
}`
	nodeShutdown = `export function endInOrder(server) {
  process.once('SIGTERM', () => {
    server.close(() => process.exit(0)); // when the requests under way are done
    server.closeIdleConnections();
    setTimeout(() => process.exit(1), 30_000).unref();
  });
}`

	javaClient = `static final HttpClient CLIENT = HttpClient.newBuilder() // one for the whole program
    .connectTimeout(Duration.ofSeconds(3))
    .build();

static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build();
    return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
}`
	javaTimeout = javaClient
	javaBody    = `static void download(HttpClient client, HttpRequest request, OutputStream to) throws IOException, InterruptedException {
    HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) { // in every path
        in.transferTo(to);
    }
}`
	javaTry = `static int ask(SocketAddress address, byte[] request) throws IOException {
    try (Socket socket = new Socket()) { // closed in every path
        socket.connect(address, 3_000);
        socket.setSoTimeout(10_000);
        socket.getOutputStream().write(request);
        return socket.getInputStream().read();
    }
}`
	javaServe = `static void serve(Socket accepted) throws IOException {
    try (Socket socket = accepted) {
        socket.setSoTimeout(60_000);
        byte[] buffer = new byte[4096];
        for (int n; (n = socket.getInputStream().read(buffer)) >= 0; ) { // -1: the other end has closed
            socket.getOutputStream().write(buffer, 0, n);
        }
    }
}`
	javaHalfClose = `static void finish(Socket done) throws IOException {
    try (Socket socket = done) {
        socket.shutdownOutput(); // sends the FIN
        socket.setSoTimeout(5_000);
        socket.getInputStream().transferTo(OutputStream.nullOutputStream()); // until the other end closes
    }
}`
	javaPool = `static List<String> names(DataSource pool) throws SQLException { // one HikariDataSource
    try (Connection connection = pool.getConnection();
         PreparedStatement statement = connection.prepareStatement("SELECT name FROM users");
         ResultSet rows = statement.executeQuery()) { // close() gives the connection back
        List<String> names = new ArrayList<>();
        while (rows.next()) {
            names.add(rows.getString(1));
        }
        return names;
    }
}`

	rubyHTTP = `require "net/http"

Net::HTTP.start("example.com", 443, use_ssl: true, open_timeout: 3, read_timeout: 10) do |http|
  paths.each { |path| http.get(path) } # one connection
end`
	phpCurl = `<?php
$curl = curl_init(); // one for all requests
curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_CONNECTTIMEOUT => 3, CURLOPT_TIMEOUT => 10]);
foreach ($urls as $url) {
    curl_setopt($curl, CURLOPT_URL, $url);
    $bodies[] = curl_exec($curl);
}`
	perlLWP = `use LWP::UserAgent;

my $ua = LWP::UserAgent->new(keep_alive => 10, timeout => 10); # one for the whole program
my @urls = @ARGV;
print $ua->get($_)->code, "\n" for @urls;`
	dotnetClient = `static readonly HttpClient Client = new(new SocketsHttpHandler
{
    ConnectTimeout = TimeSpan.FromSeconds(3),
    PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
    PooledConnectionLifetime = TimeSpan.FromMinutes(5),
}) { Timeout = TimeSpan.FromSeconds(10) };`

	nginxKeepalive = `upstream app {
    server 127.0.0.1:8000;
    keepalive 32;           # idle connections of each worker
    keepalive_timeout 4s;   # below the idle timeout of the server
}

server {
    listen 8080;
    location / {
        proxy_pass http://app;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }
}`
	nginxTimeouts = `server {
    listen 8080 backlog=4096;
    keepalive_timeout 30s;
    client_header_timeout 10s;
    client_body_timeout 10s;
    reset_timedout_connection on;
    location / {
        proxy_pass http://127.0.0.1:8000;
        proxy_connect_timeout 3s;
        proxy_read_timeout 30s;
    }
}`
	haproxyReuse = `backend app
    option http-keep-alive
    http-reuse safe
    retry-on conn-failure empty-response
    server app1 127.0.0.1:8000 maxconn 100 pool-max-conn 32 pool-purge-delay 4s`
	haproxyTimeouts = `global
    hard-stop-after 5m

defaults
    mode http
    timeout connect 3s
    timeout client 30s
    timeout server 30s
    timeout client-fin 10s
    timeout http-request 10s
    timeout http-keep-alive 10s
    timeout tunnel 1h`
)
