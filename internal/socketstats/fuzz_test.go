package socketstats

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever control groups are called, what is said of them stands in their names.
func FuzzCgroup(f *testing.F) {
	id := strings.Repeat("0123456789abcdef", 4)
	f.Add("0::/system.slice/docker-" + id + ".scope\n")
	f.Add("0::/kubepods.slice/kubepods-pod11111111_2222_3333_4444_555555555555.slice:cri-containerd:" + id)
	f.Add("12:cpu:/docker/" + id + "\n0::/lxc/web\n1:a:/lxc.payload.x/system.slice/nginx.service\n")
	f.Add("0::/machine.slice/machine-a\x1b[31m.scope\n:::\n::/ /\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := ParseCgroup(text)
		require.LessOrEqual(t, len(c.Paths), strings.Count(text, "\n")+1)
		require.Equal(t, c.ID == "", c.Runtime == "")
		for _, part := range []string{c.ID, c.Unit, strings.ReplaceAll(c.Pod, "-", "_")} {
			require.Contains(t, strings.ReplaceAll(text, "-", "_"), strings.ReplaceAll(part, "-", "_"))
		}
		require.True(t, strings.HasPrefix(c.ID, c.ShortID()))
		require.Equal(t, c.ID+c.Pod+c.Unit == "", c.String() == "")
		for _, path := range c.Paths {
			if strings.HasPrefix(path, "/") && path == "/"+strings.Trim(path, "/") && !strings.HasPrefix(path, "/sys/") {
				require.True(t, c.Within(path), path)
				require.True(t, c.Within("/sys/fs/cgroup"+path), path)
			}
		}
		require.Equal(t, len(c.Paths) > 0, c.Within("/"))
	})
}

// Whatever lsof writes, a socket of it is one that can be, or it is refused in a line.
func FuzzLsof(f *testing.F) {
	f.Add("p7\nf3\ntIPv4\nd0x1\nPTCP\nn127.0.0.1:80->127.0.0.1:5000\nTST=ESTABLISHED\nTQR=0\nf4\ntIPv6\nd0x1\nPTCP\nn*:80\nTST=LISTEN\n")
	f.Add("p7\nf3\nPTCP\nn[::1%lo0]:99999\nTST=SYN_RCVD\np8\nf1\nPUDP\n")
	f.Add("f3\np\n")
	f.Fuzz(func(t *testing.T, text string) {
		sockets, err := parseLsof(text)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.LessOrEqual(t, len(sockets), strings.Count(text, "f")+strings.Count(text, "p"))
		for _, s := range sockets {
			require.True(t, s.Local.IsValid())
			require.Contains(t, States(), s.State)
		}
	})
}
