#include "net/gateway.h"

#include <net/route.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace cweb::net {
namespace {

constexpr size_t most_columns = 16;
using Columns = std::array<std::string_view, most_columns>;

Columns columns_of(std::string_view line) {
  Columns columns{};
  for (std::string_view& column : columns) {
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    column = line.substr(0, line.find_first_of(" \t"));
    line.remove_prefix(column.size());
  }
  return columns;
}

template <typename Take>
void for_each_line(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    take(columns_of(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<uint32_t> hexadecimal(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool leads_through_a_gateway(std::optional<uint32_t> flags) {
  return flags && (*flags & RTF_UP) != 0 && (*flags & RTF_GATEWAY) != 0;
}

std::string file_text(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

std::vector<PeerAddress> ipv4_gateways(std::string_view routes) {
  std::vector<PeerAddress> gateways;
  // Iface Destination Gateway Flags RefCnt Use Metric Mask; addresses as the processor reads them in network order.
  for_each_line(routes, [&](const Columns& columns) {
    const auto gateway = hexadecimal(columns[2]);
    const bool is_default = hexadecimal(columns[1]) == 0U && hexadecimal(columns[7]) == 0U;
    if (!is_default || !gateway || *gateway == 0 || !leads_through_a_gateway(hexadecimal(columns[3]))) return;
    sockaddr_storage storage{};
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = *gateway;
    gateways.push_back(PeerAddress::from(storage));
  });
  return gateways;
}

std::vector<PeerAddress> ipv6_gateways(std::string_view routes) {
  std::vector<PeerAddress> gateways;
  // Destination, its prefix, source, its prefix, next hop, metric, references, use, flags, device.
  for_each_line(routes, [&](const Columns& columns) {
    const bool is_default = columns[0] == std::string(32, '0') && columns[1] == "00";
    const std::string_view hop = columns[4];
    if (!is_default || hop.size() != 32 || !leads_through_a_gateway(hexadecimal(columns[8]))) return;
    sockaddr_storage storage{};
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    for (size_t i = 0; i < 16; ++i) {
      const auto byte = hexadecimal(hop.substr(2 * i, 2));
      if (!byte) return;
      address.sin6_addr.s6_addr[i] = static_cast<uint8_t>(*byte);
    }
    if (IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr)) return;
    gateways.push_back(PeerAddress::from(storage));
  });
  return gateways;
}

std::vector<PeerAddress> default_gateways() {
  std::vector<PeerAddress> gateways = ipv4_gateways(file_text("/proc/net/route"));
  const std::vector<PeerAddress> more = ipv6_gateways(file_text("/proc/net/ipv6_route"));
  gateways.insert(gateways.end(), more.begin(), more.end());
  return gateways;
}

}  // namespace cweb::net
