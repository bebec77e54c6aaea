# A formula for Homebrew. The address is a placeholder: put in where the archives lie.
class Socketlab < Formula
  desc "Reproduce connection-management incidents, and say what is wrong with a process's sockets"
  homepage "https://example.invalid/socketlab"
  version "{{version}}"
  license "MIT"

  on_macos do
    on_arm do
      url "{{url}}/socketlab_{{version}}_darwin_arm64.tar.gz"
      sha256 "{{darwin_arm64}}"
    end
    on_intel do
      url "{{url}}/socketlab_{{version}}_darwin_amd64.tar.gz"
      sha256 "{{darwin_amd64}}"
    end
  end
  on_linux do
    on_arm do
      url "{{url}}/socketlab_{{version}}_linux_arm64.tar.gz"
      sha256 "{{linux_arm64}}"
    end
    on_intel do
      url "{{url}}/socketlab_{{version}}_linux_amd64.tar.gz"
      sha256 "{{linux_amd64}}"
    end
  end

  def install
    bin.install "sockwatch", "slowserver", "client-faulty", "client-fixed"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/sockwatch.bash" => "sockwatch"
    zsh_completion.install "completions/_sockwatch"
    fish_completion.install "completions/sockwatch.fish"
  end

  test do
    assert_match "v#{version}", shell_output("#{bin}/sockwatch --version")
  end
end
