package series

import (
	"fmt"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// Event is one line of a recording: just one of its fields is set. The JSON names
// in this file and in the types that it uses are the recording's schema
// (docs/recording.schema.json); they change only together with [Schema].
type Event struct {
	// Header is the first event, and only that.
	Header *Header `json:"header,omitempty"`
	Moment *Moment `json:"moment,omitempty"`
	// End is the last event. A recording without it was cut off.
	End *Ending `json:"end,omitempty"`
}

// Schema names the form of a recording.
const Schema = "sockwatch.recording/v2"

// Header says what is observed and how.
type Header struct {
	Schema string `json:"schema"`
	// Title is one line for people.
	Title string `json:"title"`
	// Source is the source of the counts, and UnsupportedStates are those that it
	// cannot see on this system.
	Source            string              `json:"source"`
	UnsupportedStates []socketstats.State `json:"unsupported_states,omitempty"`
	// Interval is the time between two samples, and Length how long the observation
	// was planned to take; 0 where it has no planned end.
	Interval time.Duration `json:"interval_ns"`
	Length   time.Duration `json:"length_ns,omitempty"`
	Started  time.Time     `json:"started"`
	// GoVersion is that of the programs that were started for it: of a scenario's
	// clients, and of a subject's own if that differs; "" where none was.
	GoVersion string `json:"go_version,omitempty"`
	// Isolated says that each subject had a network namespace of its own.
	Isolated bool `json:"isolated,omitempty"`
	// Provenance is who made the observation; nil if nobody said.
	Provenance *Provenance `json:"provenance,omitempty"`
	// One of these three says what kind of observation it is.
	Scenario *Scenario `json:"scenario,omitempty"`
	Commands *Commands `json:"commands,omitempty"`
	Target   *Target   `json:"target,omitempty"`
	// Subjects are those that are known from the beginning.
	Subjects []Identity `json:"subjects,omitempty"`
}

// Scenario is what was played.
type Scenario struct {
	ID string `json:"id"`
	// Script is the whole script as YAML, at its own speed.
	Script string `json:"script"`
	// Speed is how many times faster than in the script everything went.
	Speed float64 `json:"speed"`
	Seed  uint64  `json:"seed"`
	// Swapped says that each side played the other's code.
	Swapped bool `json:"swapped,omitempty"`
	// Commands are the programs of the user's that made the requests in place of the
	// code of the scenario, by the id of their subject.
	Commands map[string]string `json:"commands,omitempty"`
	// Cluster says that it was played on several machines; nil for one.
	Cluster *Cluster `json:"cluster,omitempty"`
}

// Cluster describes a run on Kubernetes. A subject there stands for all clients of a
// side together, and each client is a part of it.
type Cluster struct {
	// Clients is how many each side has, in a pod of its own each. Every one plays the whole
	// load of the script.
	Clients int `json:"clients"`
	// Namespace is where the pods were, and Nodes the machines that they ran on.
	Namespace string   `json:"namespace,omitempty"`
	Nodes     []string `json:"nodes,omitempty"`
}

// Clients returns the number of clients of each side: 1 on one machine, and for nil.
func (s *Scenario) Clients() int {
	if s == nil || s.Cluster == nil {
		return 1
	}
	return s.Cluster.Clients
}

// OwnPrograms reports whether a program of the user's stood in the place of a side's
// code. A nil Scenario has none.
func (s *Scenario) OwnPrograms() bool { return s != nil && len(s.Commands) > 0 }

// Commands are the programs that were compared, as their user wrote them, or the
// recordings.
type Commands struct {
	Faulty string `json:"faulty"`
	Fixed  string `json:"fixed"`
	// Server is the command of each side's server; "" is a server of our own.
	Server string `json:"server,omitempty"`
	// Recordings says that Faulty and Fixed are no commands: they are the files of what
	// was recorded of a process before a change and after it.
	Recordings bool `json:"recordings,omitempty"`
	// Go are the versions of Go that built the clients, each a side for each version:
	// Faulty and Fixed are main packages with their arguments then, and Fixed is "" where
	// only one package was built.
	Go []string `json:"go,omitempty"`
}

// Target is which processes were watched.
type Target struct {
	Port uint16  `json:"port,omitempty"`
	PIDs []int32 `json:"pids,omitempty"`
	Name string  `json:"name,omitempty"`
	// Container, Cgroup and Unit name processes by their control group, and All is
	// every process that could be seen.
	Container string `json:"container,omitempty"`
	Cgroup    string `json:"cgroup,omitempty"`
	Unit      string `json:"unit,omitempty"`
	All       bool   `json:"all,omitempty"`
	// NoChildren says that the children of these processes were not watched.
	NoChildren bool `json:"no_children,omitempty"`
}

// Identity says who a subject is.
type Identity struct {
	// ID names the subject within its observation: "faulty", "fixed", or a process's
	// id. Name is for people.
	ID   string `json:"id"`
	Name string `json:"name"`
	// PID is the process whose sockets these are; 0 where it is not one process.
	PID int32 `json:"pid,omitempty"`
	// Parent is the id of the subject that this process is a part of: the process
	// from which it descends. The sockets of that subject include those of this one.
	// "" for a subject that stands for itself.
	Parent string `json:"parent,omitempty"`
	// Exe is the base name of the program's file, and Command the first part of the
	// command line, of printable characters. "" where they are not known.
	Exe     string `json:"exe,omitempty"`
	Command string `json:"command,omitempty"`
	// Started is when the process was started; zero where that is not known.
	Started time.Time `json:"started,omitzero"`
	// Namespace is the process's network namespace, by its inode, such as
	// "net:[4026532281]"; "" if it is ours, or not known.
	Namespace string `json:"namespace,omitempty"`
	// Container is the container, the pod or the systemd unit of the process, by its
	// cgroup, such as "docker 0123456789ab"; "" if there is none.
	Container string `json:"container,omitempty"`
	// Runtime is the language that the process runs, such as "python", or the server
	// that it is, such as "nginx", and RuntimeVersion the version of that. Module is the
	// program itself: of Go the path of the main module, else the script, module, class
	// or archive. Each is "" where it is not known.
	Runtime        string `json:"runtime,omitempty"`
	RuntimeVersion string `json:"runtime_version,omitempty"`
	Module         string `json:"module,omitempty"`
	// Role is what the process is by its sockets so far: "client", "database client",
	// "broker client", "server", "service" (which is both) or "proxy"; "" before any.
	Role string `json:"role,omitempty"`
	// Protocol is what it speaks to its peers, by their ports, or if it has none, to
	// its clients: such as "http", or "http,postgres" if there are several; "" where
	// that is not known. Library is the client library for it, such as "pgx"; "" where
	// none is known.
	Protocol string `json:"protocol,omitempty"`
	Library  string `json:"library,omitempty"`
	// Peer is the server on this machine that the process is a client of, where that is one
	// of which it is known when it closes idle connections, such as "Node"; "" where it is
	// not known, or where there are several.
	Peer string `json:"peer,omitempty"`
	// PeerClosedMS is the shortest time without data, in milliseconds, for which a connection
	// was in CLOSE_WAIT at the process as a client: the peer closes idle connections after
	// that time or earlier. 0 where none was seen.
	PeerClosedMS int64 `json:"peer_closed_ms,omitempty"`
	// Half is the half of the script's pair whose expectations a side is held to, where
	// its ID does not say which: "faulty" or "fixed".
	Half string `json:"half,omitempty"`
	// GoVersion is the version of Go that built this side's client, where it is not
	// the header's.
	GoVersion string `json:"go_version,omitempty"`
	// Paired says that the sockets at the server's end are the other ends of those
	// at the client's. Otherwise they are of other connections: those that the
	// subject accepted.
	Paired bool `json:"paired,omitempty"`
	// Serves says that this is the server of the watched port: its sockets are the
	// other ends of those that the other subjects have, so that it is in no sum.
	Serves bool `json:"serves,omitempty"`
	// Relayed says that the server that the requests go to opens connections of its
	// own for them, which are among the sockets.
	Relayed bool `json:"relayed,omitempty"`
	// Limits are those of the process; zero where they are not known.
	Limits socketstats.Limits `json:"limits,omitzero"`
	// Endpoints say where the processes of a side are; nil for other subjects.
	Endpoints *Endpoints `json:"endpoints,omitempty"`
}

// Endpoints are the processes of one side of a run.
type Endpoints struct {
	// Server is the address on which the side's server listens.
	Server    string `json:"server"`
	ServerPID int    `json:"server_pid"`
	ClientPID int    `json:"client_pid"`
	// SupervisorPID is the process that holds the side's namespace; 0 without one.
	SupervisorPID int `json:"supervisor_pid,omitempty"`
	// LeftBehind is how many sockets of earlier connections the server's port had
	// when the run began. They are not counted.
	LeftBehind int `json:"left_behind,omitempty"`
}

// Moment is one count of all subjects.
type Moment struct {
	// At is the time since the beginning, when the count was begun, by a clock that
	// is never set.
	At time.Duration `json:"at_ns"`
	// Took is the time that the count cost, and CPU the processor's part of it, in
	// sockwatch and in the kernel for it; 0 where the system does not report it.
	Took time.Duration `json:"took_ns"`
	CPU  time.Duration `json:"cpu_ns,omitempty"`
	// Subjects are those that are there now.
	Subjects []SubjectSample `json:"subjects"`

	// What follows is of a watch.

	// Clock is the time of day; zero in a run.
	Clock time.Time `json:"clock,omitzero"`
	// Listeners are the processes that listen on the watched port.
	Listeners []string `json:"listeners,omitempty"`
	// EventSource is how connections that came and went were noticed: "tracepoint",
	// which misses none, or "closed sockets", which needs no privilege; "" where
	// neither works. AtLeast says that some were missed or could not be attributed.
	EventSource string `json:"event_source,omitempty"`
	AtLeast     bool   `json:"at_least,omitempty"`
	// StateDurations is how long sockets were in states that they left; from the
	// tracepoint only.
	StateDurations []StateDuration `json:"state_durations,omitempty"`
	// Unattributed is how many connections came and went since the beginning that
	// cannot be attributed to any process.
	Unattributed int `json:"unattributed,omitempty"`
	// FailedConnects is the same of attempts to connect that failed or were given up.
	FailedConnects int `json:"failed_connects,omitempty"`
	// Unseen are the processes and the network namespaces that should have been
	// watched and could not be seen, each with why.
	Unseen []string `json:"unseen,omitempty"`
	// Apart are the network namespaces in which something else uses the watched port, over
	// the loopback alone, while it is used in ours: it is not watched.
	Apart []string `json:"apart,omitempty"`
	// Services are the network namespaces in which the watched port is used, "" ours, where it is
	// in several. Those in one list are of one service: connections to the port go from one
	// to the other, or to the same address.
	Services [][]string `json:"services,omitempty"`
	// Queue is that of the fullest listener on the watched port; nil without one.
	Queue *Queue `json:"queue,omitempty"`
	// Repaired is how many sockets were counted wrong since the beginning, as checks
	// with a new list have shown: the samples before have them wrong, this one has not.
	Repaired int `json:"repaired,omitempty"`
}

// SubjectSample is one subject's part of a moment. Sample.At is that of the moment.
type SubjectSample struct {
	ID string `json:"id"`
	// Identity is set when the subject is new, or is not who it was before.
	Identity *Identity `json:"identity,omitempty"`
	Sample
}

// StateDuration is how long sockets were in a state that they left.
type StateDuration struct {
	State  socketstats.State `json:"state"`
	Count  int               `json:"count"`
	MeanMS float64           `json:"mean_ms"`
	MaxMS  float64           `json:"max_ms"`
}

// String writes it as "3 times in SYN_SENT, mean 0.05 ms, max 2 s".
func (d StateDuration) String() string {
	return fmt.Sprintf("%s in %s, mean %s, max %s", words.Plural(d.Count, "time"), d.State, millis(d.MeanMS), millis(d.MaxMS))
}

func millis(ms float64) string {
	if ms >= 1000 {
		return words.Duration(time.Duration(ms * float64(time.Millisecond)))
	}
	return fmt.Sprintf("%.3g ms", ms)
}

// Ending is how an observation ended.
type Ending struct {
	Duration time.Duration `json:"duration_ns"`
	// Stopped says why it ended before its time; "" if it did not.
	Stopped string `json:"stopped,omitempty"`
	// Gone says that every observed process has ended.
	Gone     bool           `json:"gone,omitempty"`
	Subjects []SubjectFinal `json:"subjects,omitempty"`
}

// SubjectFinal is the last word on one subject.
type SubjectFinal struct {
	ID string `json:"id"`
	Final
}

// Final is what was known of a subject at the very end, after its last sample.
type Final struct {
	ClientMetrics
	// KernelConns is what the kernel had seen by then: what the client says lies
	// between the last sample's and this.
	KernelConns *ConnCounts `json:"kernel_connections,omitempty"`
	// Stopped says why the subject's load was ended before its time, such as the
	// descriptors that it held; "" if it was not.
	Stopped string `json:"stopped,omitempty"`
	// Failure says how a command of the user's failed; "" if it did not.
	Failure string `json:"failure,omitempty"`
}

// Provenance is who made an observation. What is not known is "" or 0.
type Provenance struct {
	// Command is the command line, quoted as a shell takes it.
	Command string `json:"command,omitempty"`
	// Version is that of sockwatch.
	Version string `json:"version,omitempty"`
	// System is the operating system with its kernel, and Arch the processor's
	// architecture.
	System string `json:"system,omitempty"`
	Arch   string `json:"arch,omitempty"`
	// CPUs is how many processors the command could use.
	CPUs int `json:"cpus,omitempty"`
}
