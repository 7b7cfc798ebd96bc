#include "cli/event_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cweb::cli {
namespace {

using testing::ElementsAre;

std::vector<std::string> parse(const std::vector<std::string>& pieces) {
  EventParser parser;
  std::vector<std::string> events;
  for (const std::string& piece : pieces) {
    const bool goes_on = parser.feed(
        piece, [&](const ServerSentEvent& event) { events.push_back(event.id + "/" + event.type + "/" + event.data); });
    if (!goes_on) events.push_back("broken");
  }
  return events;
}

TEST(EventParser, takes_events_apart) {
  EXPECT_THAT(parse({"id: r.1\nevent: output\ndata: {\"a\":1}\n\nid: r.2\nevent: fault\ndata: x\n\n"}),
              ElementsAre("r.1/output/{\"a\":1}", "r.2/fault/x"));
}

TEST(EventParser, events_may_arrive_in_any_pieces) {
  const std::string stream =
      ": ping\r\n\r\nid:7\r\nevent:e\r\ndata: one\r\ndata:  two\r\n\r\ndata\n\nid\ndata: last\r\r";
  const std::vector<std::string> whole = parse({stream});
  EXPECT_THAT(whole, ElementsAre("7/e/one\n two", "7/message/", "/message/last"));
  std::vector<std::string> bytes;
  for (const char c : stream) bytes.emplace_back(1, c);
  EXPECT_EQ(parse(bytes), whole);
}

TEST(EventParser, what_has_no_data_is_no_event_and_unknown_fields_are_nothing) {
  EXPECT_THAT(parse({"event: e\nid: 3\n\n", "retry: 100\nfoo: bar\ndata: x\n\n"}), ElementsAre("3/message/x"));
}

TEST(EventParser, an_event_without_end_is_not_collected) {
  EXPECT_THAT(parse({std::string(EventParser::longest_event + 1, 'x'), "\n\n"}), ElementsAre("broken", "broken"));
  std::string data;
  for (size_t i = 0; i <= EventParser::longest_event / 1000; ++i) data += "data: " + std::string(1000, 'x') + "\n";
  EXPECT_THAT(parse({data}), ElementsAre("broken"));
}

}  // namespace
}  // namespace cweb::cli
