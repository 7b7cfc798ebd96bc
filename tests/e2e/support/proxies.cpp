#include "proxies.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "deploying.h"
#include "pace.h"

namespace cweb::e2e {
namespace {

/// Requests are passed on as they arrive, which leaves the least to the proxy. A request is never sent twice.
constexpr const char* nginx_config = R"(daemon off;
master_process off;
pid @DIR@/nginx.pid;
error_log stderr error;
events { worker_connections 128; }
http {
  access_log off;
  client_body_temp_path @DIR@/body;
  proxy_temp_path @DIR@/proxy;
  fastcgi_temp_path @DIR@/fastcgi;
  uwsgi_temp_path @DIR@/uwsgi;
  scgi_temp_path @DIR@/scgi;
  client_header_timeout 5s;
  client_body_timeout 5s;
  client_max_body_size 10m;
  lingering_close off;
  upstream cweb {
    server 127.0.0.1:@PORT@;
    keepalive 4;
  }
  server {
    listen unix:@SOCKET@;
    location / {
      proxy_pass http://cweb;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      proxy_ignore_client_abort on;
      proxy_next_upstream off;
    }
  }
}
)";

constexpr const char* haproxy_config = R"(global
  nbthread 1
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 5s
  timeout server 5s
  timeout http-request 5s
frontend clients
  bind unix@@SOCKET@
  default_backend cweb
backend cweb
  http-reuse always
  server cweb 127.0.0.1:@PORT@
)";

std::string make_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "cweb-proxy-XXXXXX").string();
  EXPECT_NE(mkdtemp(path.data()), nullptr) << path;
  return path;
}

}  // namespace

std::unique_ptr<Proxy> Proxy::start_nginx(uint16_t server_port) {
  std::unique_ptr<Proxy> proxy(new Proxy("nginx"));
  proxy->write_config(
      fill_in(nginx_config,
              {{"DIR", proxy->directory_}, {"SOCKET", proxy->socket_path_}, {"PORT", std::to_string(server_port)}}));
  proxy->start({"/usr/sbin/nginx", "-e", "stderr", "-p", proxy->directory_, "-c", proxy->config_path_});
  return proxy;
}

std::unique_ptr<Proxy> Proxy::start_haproxy(uint16_t server_port) {
  std::unique_ptr<Proxy> proxy(new Proxy("haproxy"));
  proxy->write_config(
      fill_in(haproxy_config, {{"SOCKET", proxy->socket_path_}, {"PORT", std::to_string(server_port)}}));
  proxy->start({"/usr/sbin/haproxy", "-db", "-f", proxy->config_path_});
  return proxy;
}

Proxy::Proxy(const std::string& name)
    : directory_(make_directory()),
      config_path_(directory_ + "/" + name + ".conf"),
      socket_path_(directory_ + "/" + name + ".sock") {}

void Proxy::write_config(const std::string& text) const {
  std::ofstream(config_path_) << text;
}

void Proxy::start(const std::vector<std::string>& command) {
  pid_ = start_program(command, {{log_.fd(), STDOUT_FILENO}, {log_.fd(), STDERR_FILENO}});
  EXPECT_TRUE(eventually([&] { return accepts(); })) << command.front() << " does not come up:\n" << log();
}

bool Proxy::accepts() const {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path_.copy(address.sun_path, sizeof address.sun_path - 1);
  return connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

Proxy::~Proxy() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    if (wait_for_end(pid_, patience) == -1) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  if (testing::Test::HasFailure()) std::fprintf(stderr, "---- log of %s ----\n%s", config_path_.c_str(), log().c_str());
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace cweb::e2e
