package runtimes

import (
	"path"
	"slices"
	"strings"
)

// The roles.
const (
	// Client connects, and listens nowhere.
	Client = "client"
	// DatabaseClient and BrokerClient are clients whose peers are databases, or message
	// brokers.
	DatabaseClient = "database client"
	BrokerClient   = "broker client"
	// Server listens, and connects to nobody.
	Server = "server"
	// Service listens, and is a client of others.
	Service = "service"
	// Proxy is a Service that is known to pass requests on.
	Proxy = "proxy"
)

// protocols are the protocols of well-known ports.
var protocols = map[uint16]string{
	80: "http", 443: "http", 8000: "http", 8080: "http", 8443: "http", 8888: "http", 9200: "http", 6443: "http",
	5432: "postgres", 6432: "postgres", 3306: "mysql", 6379: "redis", 26379: "redis", 27017: "mongodb", 11211: "memcached", 9042: "cassandra",
	5672: "amqp", 5671: "amqp", 1883: "mqtt", 8883: "mqtt", 9092: "kafka", 4222: "nats",
	389: "ldap", 636: "ldap", 25: "smtp", 465: "smtp", 587: "smtp", 21: "ftp", 990: "ftp", 22: "ssh",
	110: "pop3", 995: "pop3", 143: "imap", 993: "imap", 50051: "grpc", 2379: "grpc",
}

var (
	databases = []string{"postgres", "mysql", "redis", "mongodb", "memcached", "cassandra"}
	brokers   = []string{"amqp", "mqtt", "kafka", "nats"}
)

// ProtocolOf is the protocol of a well-known port; "" of another.
func ProtocolOf(port uint16) string { return protocols[port] }

// Speaks is the protocol that a server speaks by its nature; "" of other programs.
func (p *Program) Speaks() string { return p.protocol }

// Role is the part that the program plays. listens says that it listens, connects
// that it is a client, and of what are the protocols of its peers, as far as they are
// known; "" where nothing was seen yet.
func (p *Program) Role(listens, connects bool, of []string) string {
	only := func(some []string) bool {
		return len(of) > 0 && !slices.ContainsFunc(of, func(protocol string) bool { return !slices.Contains(some, protocol) })
	}
	switch {
	case listens && connects && p.proxy:
		return Proxy
	case listens && connects:
		return Service
	case listens:
		return Server
	case !connects:
		return ""
	case only(databases):
		return DatabaseClient
	case only(brokers):
		return BrokerClient
	}
	return Client
}

// library is a client of a protocol. module is its path in Go's build information, and
// file a part of the path of a file in memory, or of an archive on a command line.
type library struct{ name, protocol, module, file string }

var libraries = []library{
	{"pgx", "postgres", "github.com/jackc/pgx", ""},
	{"lib/pq", "postgres", "github.com/lib/pq", ""},
	{"go-sql-driver", "mysql", "github.com/go-sql-driver/mysql", ""},
	{"go-redis", "redis", "github.com/redis/go-redis", ""},
	{"go-redis", "redis", "github.com/go-redis/redis", ""},
	{"redigo", "redis", "github.com/gomodule/redigo", ""},
	{"mongo-driver", "mongodb", "go.mongodb.org/mongo-driver", ""},
	{"amqp091-go", "amqp", "github.com/rabbitmq/amqp091-go", ""},
	{"paho", "mqtt", "github.com/eclipse/paho.mqtt.golang", ""},
	{"go-ldap", "ldap", "github.com/go-ldap/ldap", ""},
	{"kafka-go", "kafka", "github.com/segmentio/kafka-go", ""},
	{"sarama", "kafka", "github.com/IBM/sarama", ""},
	{"psycopg2", "postgres", "", "/psycopg2/_psycopg"},
	{"psycopg", "postgres", "", "/psycopg_"},
	{"asyncpg", "postgres", "", "/asyncpg/"},
	{"mysqlclient", "mysql", "", "/MySQLdb/_mysql"},
	{"pymongo", "mongodb", "", "/pymongo/"},
	{"confluent-kafka", "kafka", "", "/confluent_kafka/"},
	{"python-ldap", "ldap", "", "/_ldap."},
	{"pg", "postgres", "", "/pg_ext.so"},
	{"mysql2", "mysql", "", "/mysql2.so"},
	{"lettuce", "redis", "", "lettuce-core-"},
	{"jedis", "redis", "", "jedis-"},
}

// Library is the known client library for a protocol in the program; "" if there is
// none, or more than one.
func (p *Program) Library(protocol string) string {
	name := ""
	for _, l := range p.libraries {
		if l.protocol != protocol || l.name == name {
			continue
		}
		if name != "" {
			return ""
		}
		name = l.name
	}
	return name
}

// librariesIn finds the libraries in the files of a process, and on its command line,
// where a class path has them.
func librariesIn(files, args []string) (found []library) {
	for _, l := range libraries {
		in := func(text string) bool { return l.file != "" && strings.Contains(text, l.file) }
		if slices.ContainsFunc(files, in) || slices.ContainsFunc(args, func(arg string) bool { return in(path.Clean("/" + arg)) }) {
			found = append(found, l)
		}
	}
	return found
}
