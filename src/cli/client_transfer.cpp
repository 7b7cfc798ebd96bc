#include "cli/client_transfer.h"

#include "cli/server_url.h"

namespace cweb::cli {
namespace {

constexpr long connect_timeout_s = 5;
constexpr const char* user_agent = "cweb/" CWEB_VERSION;

}  // namespace

void set_address(const CurlLibrary& curl, CURL* transfer, const ServerAddress& address) {
  const auto set = [&](CURLoption option, auto value) { curl.easy_setopt(transfer, option, value); };
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, user_agent);
  set(CURLOPT_CONNECTTIMEOUT, connect_timeout_s);
  // A proxy for this machine's own server would ask another machine's. Otherwise it is as the environment says.
  if (is_loopback_url(address.url)) set(CURLOPT_PROXY, "");
  if (address.insecure) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!address.ca_file.empty()) {
    set(CURLOPT_CAINFO, address.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
}

}  // namespace cweb::cli
