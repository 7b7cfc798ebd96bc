#include "cli/client.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"
#include "cli/client_failure.h"
#include "cli/client_transfer.h"
#include "cli/curl_library.h"
#include "cli/output.h"

namespace cweb::cli {
namespace {

/// No answer of cweb's is nearly as long. Who sends more is something else.
constexpr size_t longest_answer = size_t{64} << 20;
constexpr int64_t long_wait_ms = 2'000;

/// A call while it is under way.
struct Transfer {
  const Call* call = nullptr;
  const ServerAddress* address = nullptr;
  HttpAnswer answer;
  bool head_began = false;
  bool head_ended = false;
  bool too_long = false;
  bool ended_by_caller = false;
  bool waits_long = false;
  int64_t begin_ms = monotonic_ms();
};

/// A connection that ends within the head leaves libcurl content with what there was.
size_t take_header(char* bytes, size_t, size_t count, void* transfer_pointer) {
  const std::string_view line(bytes, count);
  auto& transfer = *static_cast<Transfer*>(transfer_pointer);
  transfer.head_began = true;
  transfer.head_ended = line == "\r\n" || line == "\n";
  return count;
}

size_t take_body(char* bytes, size_t, size_t count, void* transfer_pointer) {
  auto& transfer = *static_cast<Transfer*>(transfer_pointer);
  transfer.too_long = transfer.answer.body.size() + count > longest_answer;
  if (transfer.too_long) return 0;
  transfer.answer.body.append(bytes, count);
  return count;
}

/// To a person, who sees nothing otherwise.
void tell_waiting(Transfer& transfer) {
  if (transfer.waits_long || transfer.head_began || monotonic_ms() - transfer.begin_ms < long_wait_ms) return;
  transfer.waits_long = true;
  if (::isatty(STDERR_FILENO) == 1) complain("waiting for " + transfer.address->url + " ...");
}

int look_around(void* transfer_pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(transfer_pointer);
  if (transfer.call->meanwhile) transfer.call->meanwhile();
  tell_waiting(transfer);
  const std::atomic<bool>* const cancelled = transfer.call->cancelled;
  transfer.ended_by_caller = cancelled != nullptr && cancelled->load();
  return transfer.ended_by_caller ? 1 : 0;
}

}  // namespace

struct Client::Curl {
  explicit Curl(const CurlLibrary& with) : library(with), handle(with.easy_init()) {}
  ~Curl() {
    if (handle != nullptr) library.easy_cleanup(handle);
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  template <typename Value>
  void set(CURLoption option, Value value) const {
    library.easy_setopt(handle, option, value);
  }
  template <typename Value>
  Value info(CURLINFO what) const {
    Value value{};
    library.easy_getinfo(handle, what, &value);
    return value;
  }

  void set_call(const Call& call, HeaderLines& headers) const;

  const CurlLibrary& library;
  CURL* const handle;
};

void Client::Curl::set_call(const Call& call, HeaderLines& headers) const {
  const std::string method(call.method);
  headers.add("Accept: " + std::string(call.accept));
  headers.add("Expect:");  // no round trip before a long source
  set(CURLOPT_PATH_AS_IS, 1L);
  if (method == "POST" || method == "PUT") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    set(CURLOPT_POSTFIELDS, call.body.data() == nullptr ? "" : call.body.data());
    headers.add("Content-Type:" + (call.type.empty() ? std::string() : " " + std::string(call.type)));
  }
  set(CURLOPT_CUSTOMREQUEST, method.c_str());
  if (call.silence.count() > 0) {
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(call.silence.count()));
  }
  set(CURLOPT_TIMEOUT, static_cast<long>(call.most.count()));
  set(CURLOPT_HTTPHEADER, headers.get());
}

Client::Client(ServerAddress address, std::unique_ptr<Curl> curl)
    : address_(std::move(address)), curl_(std::move(curl)) {}

Client::~Client() = default;

Expected<std::unique_ptr<Client>> Client::create(ServerAddress address) {
  const auto library = load_curl();
  if (!library) return std::unexpected(library.error());
  auto curl = std::make_unique<Curl>(**library);
  if (curl->handle == nullptr) return fail("there is no memory to speak to a server with");
  return std::unique_ptr<Client>(new Client(std::move(address), std::move(curl)));
}

Expected<HttpAnswer> Client::call(const Call& call) {
  const Curl& curl = *curl_;
  curl.library.easy_reset(curl.handle);  // connections are kept
  set_address(curl.library, curl.handle, address_);
  HeaderLines headers(curl.library);
  if (!address_.key.empty()) headers.add("Authorization: Bearer " + address_.key);
  curl.set_call(call, headers);
  const std::string url = address_.url + std::string(call.path);
  Transfer transfer{.call = &call, .address = &address_, .answer = {}};
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl.set(CURLOPT_URL, url.c_str());
  curl.set(CURLOPT_ERRORBUFFER, detail.data());
  curl.set(CURLOPT_HEADERFUNCTION, &take_header);
  curl.set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  curl.set(CURLOPT_WRITEFUNCTION, &take_body);
  curl.set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  curl.set(CURLOPT_XFERINFOFUNCTION, &look_around);
  curl.set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  curl.set(CURLOPT_NOPROGRESS, 0L);

  CURLcode code = curl.library.easy_perform(curl.handle);
  if (code == CURLE_OK && !transfer.head_ended) code = CURLE_PARTIAL_FILE;
  HttpAnswer answer = std::move(transfer.answer);
  answer.status = static_cast<int>(curl.info<long>(CURLINFO_RESPONSE_CODE));
  if (code != CURLE_OK && !transfer.ended_by_caller) {
    return fail(
        failure_sentence(address_, {.code = code,
                                    .detail = detail[0] != '\0' ? detail.data() : curl.library.easy_strerror(code),
                                    .os_error = static_cast<int>(curl.info<long>(CURLINFO_OS_ERRNO)),
                                    .connected = curl.info<curl_off_t>(CURLINFO_CONNECT_TIME_T) > 0,
                                    .answer_began = answer.status != 0,
                                    .too_long = transfer.too_long,
                                    .changes_something = call.method != "GET"}));
  }
  if (const auto* type = curl.info<const char*>(CURLINFO_CONTENT_TYPE)) answer.content_type = type;
  if (const auto* location = curl.info<const char*>(CURLINFO_REDIRECT_URL)) answer.location = location;
  return answer;
}

}  // namespace cweb::cli
