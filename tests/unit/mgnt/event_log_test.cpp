// What is kept of events, in which order, and what readers are given: all of it, once, or told that it is not all.
#include "mgnt/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/log.h"
#include "mgnt/event_answers.h"
#include "mgnt/output_printer.h"
#include "unit/fake_image.h"

namespace cweb::mgnt {
namespace {

using nlohmann::json;
using runtime::OutputStream;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class EventLogTest : public testing::Test {
 protected:
  void print(const std::string& module, const std::string& line) {
    const auto version = runtime::make_version(1, module, {});
    version->number = 3;
    log_.printed(*version, OutputStream::out, line, false);
  }
  std::vector<std::string> texts(const EventFilter& filter = {}, uint64_t after = 0, size_t limit = 100'000) const {
    std::vector<std::string> texts;
    for (const EventPtr& event : log_.read(filter, after, limit).events) texts.push_back(event->text);
    return texts;
  }
  static json parsed(const Event& event) {
    std::string text;
    append_json(text, event);
    return json::parse(text);
  }
  json last() const { return parsed(*log_.read({}, 0, 1).events.at(0)); }
  static EventFilter of(std::string module) { return {.modules = {std::move(module)}}; }

  EventLog log_;
};

TEST_F(EventLogTest, EventsAreNumberedAndReadInTheirOrder) {
  log_.deployed("a", 1);
  print("a", "one");
  print("b", "two");
  log_.removed("a", 1);
  EXPECT_THAT(texts(), ElementsAre("a, version 1, is deployed", "one", "two", "a is removed"));
  EXPECT_THAT(texts({}, 2), ElementsAre("two", "a is removed"));
  EXPECT_THAT(texts({}, 0, 2), ElementsAre("two", "a is removed"));
  EXPECT_THAT(texts({}, 0, 0), IsEmpty());
  EXPECT_THAT(texts({}, 4), IsEmpty());
  EXPECT_THAT(texts(of("a")), ElementsAre("a, version 1, is deployed", "one", "a is removed"));
  EXPECT_THAT(texts({.modules = {"a", "b"}, .output_only = true}), ElementsAre("one", "two"));
  EXPECT_EQ(log_.read({}, 0, 1).last_id, 4U);
  EXPECT_EQ(log_.read({}, 0, 1).left_out, 3U);
  EXPECT_EQ(log_.read(of("a"), 0, 1).left_out, 2U);
}

TEST_F(EventLogTest, EachModuleHasItsLastLinesAndNobodyElsesPushThemOut) {
  print("quiet", "still here");
  log_.deployed("quiet", 1);
  for (size_t i = 0; i < EventLog::most_lines + 5; ++i) print("loud", std::to_string(i));
  const auto loud = texts(of("loud"));
  ASSERT_EQ(loud.size(), EventLog::most_lines);
  EXPECT_EQ(loud.front(), "5");
  EXPECT_EQ(loud.back(), "1004");
  EXPECT_THAT(texts(of("quiet")), ElementsAre("still here", "quiet, version 1, is deployed"));
}

TEST_F(EventLogTest, LongLinesTakeNoMoreThanTheirModulesBytes) {
  for (int i = 0; i < 200; ++i) print("a", std::string(8192, static_cast<char>('a' + i % 26)));
  const size_t kept = texts().size();
  EXPECT_LT(kept * 8192, EventLog::most_line_bytes);
  EXPECT_GT(kept * 8192, EventLog::most_line_bytes / 2);
  EXPECT_EQ(texts().back().front(), static_cast<char>('a' + 199 % 26));
}

TEST_F(EventLogTest, OfModulesThatAreGoneTheLastHundredKeepTheirLines) {
  log_.deployed("lives", 1);
  print("lives", "yes");
  for (size_t i = 0; i < EventLog::most_gone + 10; ++i) {
    const std::string name = "m" + std::to_string(i);
    // Some were live, some never came so far.
    if (i % 2 == 0) log_.deployed(name, 1);
    print(name, "said");
    if (i % 2 == 0) log_.removed(name, 1);
  }
  EXPECT_THAT(texts({.modules = {"m9"}, .output_only = true}), IsEmpty());
  EXPECT_THAT(texts({.modules = {"m10"}, .output_only = true}), ElementsAre("said"));
  EXPECT_THAT(texts({.modules = {"m109"}, .output_only = true}), ElementsAre("said"));
  EXPECT_THAT(texts({.modules = {"lives"}, .output_only = true}), ElementsAre("yes"));
}

TEST_F(EventLogTest, AnEventAsJson) {
  const auto version = runtime::make_version(1, "na\"me", {});
  log_.printed(*version, OutputStream::error, "\x1b \xff \"\t", true);
  json event = last();
  EXPECT_THAT(event["time"].get<std::string>(), testing::MatchesRegex("20..-..-..T..:..:..\\....Z"));
  event.erase("time");
  EXPECT_EQ(event, (json{{"id", 1},
                         {"type", "output"},
                         {"module", "na\"me"},
                         {"text", "\x1b \xef\xbf\xbd \"\t"},
                         {"stream", "stderr"},
                         {"cut", true}}));
  std::string line;
  append_line(line, *log_.read({}, 0, 1).events[0]);
  EXPECT_THAT(line.substr(12), " na\"me: \\x1b \xef\xbf\xbd \"\t ...\n");
}

TEST(EventTextTest, NothingThatATerminalActsOnGetsThrough) {
  std::string shown;
  append_printable(shown, "a\tb \x1b[31m \u009b2J \u202e \u2028 \u2069 \u200f \u00e9 \u20ac \U0001f600 \xff");
  EXPECT_EQ(shown, "a\tb \\x1b[31m \\x9b2J \\u202e \\u2028 \\u2069 \\u200f \u00e9 \u20ac \U0001f600 \\xff");
}

TEST_F(EventLogTest, AnEndlessMessageIsCut) {
  log_.deploy_failed(failed_report(422, "compile", std::string(size_t{1} << 20, 'x')));
  EXPECT_LT(log_.read({}, 0, 1).events[0]->bytes(), size_t{140} << 10);
}

TEST_F(EventLogTest, TheLogInJsonTellsTheVersionAndThatALineIsCut) {
  const auto version = runtime::make_version(1, "a", {});
  version->number = 3;
  log_.printed(*version, OutputStream::error, "long", true);
  const log::Format before = log::format();
  log::set_up(log::Format::json);
  std::string line;
  append_log_line(line, {.event = log_.read({}, 0, 1).events[0]});
  log::set_up(before);
  EXPECT_EQ(json::parse(line)["version"], 3);
  EXPECT_EQ(json::parse(line)["cut"], true);
}

TEST_F(EventLogTest, FailuresTellWhatTheirAnswersTell) {
  DeployReport report = failed_report(422, "compile", "the source does not compile");
  report.name = "a";
  report.rendered = "module.c:1:9: error: expected\n    1 | int x = ;\n      |         ^\n";
  log_.deploy_failed(report);
  EXPECT_EQ(last()["type"], "deploy_failed");
  EXPECT_EQ(last()["text"], "a is not deployed (compile): the source does not compile");
  EXPECT_EQ(last()["stage"], "compile");
  EXPECT_EQ(last()["error"], report.message);
  EXPECT_EQ(last()["rendered"], report.rendered);
  EXPECT_FALSE(last().contains("version"));

  FaultReport fault;
  fault.module = "a";
  fault.version = 2;
  fault.what = "null pointer: read from address 0 (SIGSEGV)";
  fault.chain = {{.function = "crash", .position = {12, 8}}};
  fault.source_line = "secret line";
  log_.faulted(fault, "SIGSEGV");
  EXPECT_EQ(last()["kind"], "SIGSEGV");
  EXPECT_EQ(last()["line"], 12);
  EXPECT_EQ(last()["file"], "module.c");
  EXPECT_THAT(last()["text"].get<std::string>(), HasSubstr("a, version 2, has failed: null pointer"));
  EXPECT_THAT(last()["report"].get<std::string>(), HasSubstr("   12 | secret line\n"));
  log_.quarantined("a", 2, "why");
  EXPECT_EQ(last()["reason"], "why");
}

TEST(ProductionEventLogTest, NoEventShowsALineOfASource) {
  EventLog log(/*production=*/true);
  DeployReport report = failed_report(422, "compile", "no");
  report.rendered = "module.c:1:9: error: expected\n    1 | secret\n      | ^\n";
  log.deploy_failed(report);
  FaultReport fault;
  fault.chain = {{.function = "crash", .position = {12, 1}}};
  fault.source_line = "secret";
  log.faulted(fault, "SIGSEGV");
  for (const EventPtr& event : log.read({}, 0, 10).events) {
    EXPECT_THAT(event->members, Not(HasSubstr("secret")));
    EXPECT_THAT(event->members, HasSubstr("module.c"));
  }
}

/// Takes everything there is.
struct Reader {
  std::vector<uint64_t> ids;
  uint64_t lost = 0;

  void read(EventLog::Subscription& subscription) {
    for (auto items = subscription.take(64 << 10); !items.empty(); items = subscription.take(64 << 10)) {
      for (const auto& item : items) {
        if (item.event) ids.push_back(item.event->id);
        lost += item.lost;
      }
    }
  }
};

TEST_F(EventLogTest, AReaderGetsWhatIsKeptAndWhatComesOnceEach) {
  print("a", "1");
  print("b", "2");
  print("a", "3");
  const auto from_now = log_.subscribe(of("a"), std::nullopt, EventLog::Reader::stream);
  const auto from_start = log_.subscribe(of("a"), 0, EventLog::Reader::stream);
  const auto from_first = log_.subscribe({}, 1, EventLog::Reader::stream);
  EXPECT_EQ(from_now->last_id(), 3U);
  int woken = 0;
  from_now->wake_by([&] { ++woken; });
  print("a", "4");
  EXPECT_EQ(woken, 0) << "it has not looked yet: it will";
  print("b", "5");
  Reader now, start, first;
  now.read(*from_now);
  start.read(*from_start);
  first.read(*from_first);
  EXPECT_THAT(now.ids, ElementsAre(4));
  EXPECT_THAT(start.ids, ElementsAre(1, 3, 4));
  EXPECT_THAT(first.ids, ElementsAre(2, 3, 4, 5));
  print("b", "6");
  EXPECT_EQ(woken, 0);
  print("a", "7");
  print("a", "8");
  EXPECT_EQ(woken, 1) << "once is enough until it has looked";
}

TEST_F(EventLogTest, ASlowReaderIsToldWhatItMissedAndWhere) {
  const auto subscription = log_.subscribe({}, std::nullopt, EventLog::Reader::stream);
  for (int i = 0; i < 100; ++i) print("a", std::string(8000, 'x'));
  Reader reader;
  for (const auto& item : subscription->take(1)) reader.ids.push_back(item.event->id);
  print("a", "after the gap");
  reader.read(*subscription);
  EXPECT_GT(reader.lost, 0U);
  EXPECT_EQ(reader.ids.size() + reader.lost, 101U);
  EXPECT_EQ(reader.ids.back(), 101U);
  EXPECT_LT(reader.ids.size() * 8000, EventQueue::most_bytes + 8000);
}

TEST_F(EventLogTest, WhoGoesOnTooLateIsToldThatSomethingIsMissing) {
  print("other", "one");
  print("a", "seen");
  for (size_t i = 0; i < EventLog::most_lines; ++i) print("a", "line");
  const auto lost_after = [this](const EventFilter& filter, uint64_t after) {
    Reader reader;
    reader.read(*log_.subscribe(filter, after, EventLog::Reader::stream));
    return reader.lost;
  };
  EXPECT_EQ(lost_after({}, 2), 0U) << "the one that is gone was seen";
  print("a", "line");
  EXPECT_EQ(lost_after({}, 2), 1U);
  EXPECT_EQ(log_.read({}, 2, 10).dropped, 1U);
  EXPECT_EQ(json::parse(page_json(log_, log_.read({}, 2, 10'000)))["left_out"], 1);
  EXPECT_FALSE(json::parse(page_json(log_, log_.read({}, 3, 10'000))).contains("left_out"));
  EXPECT_EQ(lost_after({}, 0), 0U) << "it asked for what there is";
  EXPECT_EQ(lost_after({}, 3), 0U);
  EXPECT_EQ(lost_after(of("other"), 2), 0U);
  for (size_t i = 0; i <= EventLog::most_gone; ++i) print("m" + std::to_string(i), "gone");
  const uint64_t before = log_.read({}, 0, 0).last_id;
  for (size_t i = 0; i <= EventLog::most_gone; ++i) print("n" + std::to_string(i), "gone");
  print("p", "lets the first of these go");
  EXPECT_EQ(lost_after(of("n0"), before), 1U);
  EXPECT_EQ(lost_after(of("p"), before), 0U);
}

TEST_F(EventLogTest, StreamsAreBoundedAndTheServersOwnReaderIsNoneOfThem) {
  std::vector<std::unique_ptr<EventLog::Subscription>> streams;
  for (size_t i = 0; i < EventLog::most_streams; ++i) {
    streams.push_back(log_.subscribe({}, 0, EventLog::Reader::stream));
    ASSERT_NE(streams.back(), nullptr);
  }
  EXPECT_EQ(log_.subscribe({}, 0, EventLog::Reader::stream), nullptr);
  EXPECT_NE(log_.subscribe({}, 0, EventLog::Reader::own), nullptr);
  streams.pop_back();
  EXPECT_NE(log_.subscribe({}, 0, EventLog::Reader::stream), nullptr);
}

/// Many print, many read, come and go: for the thread sanitizer, and for the order.
TEST_F(EventLogTest, ThreadsPrintAndReadWithoutGapsOrDoubles) {
  constexpr int writers = 3, lines = 2'000;
  std::atomic<bool> done{false};
  const auto subscription = log_.subscribe({}, 0, EventLog::Reader::stream);
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([this, i] {
      const auto version = runtime::make_version(1, "m" + std::to_string(i), {});
      for (int line = 0; line < lines; ++line) log_.printed(*version, OutputStream::out, "line", false);
    });
  }
  std::thread visitor([&] {
    while (!done) {
      std::atomic<int> woken{0};
      const auto subscription = log_.subscribe({}, 0, EventLog::Reader::stream);
      subscription->wake_by([&] { ++woken; });
      Reader().read(*subscription);
      static_cast<void>(log_.read({}, 0, 10));
    }
  });
  Reader reader;
  while (reader.ids.size() + reader.lost < size_t{writers} * lines) reader.read(*subscription);
  for (std::thread& thread : threads) thread.join();
  done = true;
  visitor.join();
  EXPECT_TRUE(std::is_sorted(reader.ids.begin(), reader.ids.end()));
  EXPECT_EQ(std::adjacent_find(reader.ids.begin(), reader.ids.end()), reader.ids.end());
}

TEST_F(EventLogTest, AStreamSaysHelloAndThenEachEventWithItsNumber) {
  print("a", "kept");
  EventStream stream(log_.run(), log_.subscribe({}, 0, EventLog::Reader::stream), 0);
  std::string text;
  stream.take(text, 1 << 16);
  const std::string run = log_.run();
  EXPECT_THAT(text, testing::StartsWith("id: " + run + ".0\nevent: hello\ndata: {\"run\":\"" + run +
                                        "\",\"last_id\":1}\n\nid: " + run + ".1\nevent: output\ndata: {\"id\":1,"));
  EXPECT_THAT(text, testing::EndsWith("}\n\n"));
  text.clear();
  stream.take(text, 1 << 16);
  EXPECT_EQ(text, "");
  stream.ping(text);
  EXPECT_EQ(text, ": ping\n\n");
  EXPECT_EQ(resume_after(log_, run + ".17"), 17U);
  EXPECT_EQ(resume_after(log_, "another.17"), 0U);
  EXPECT_EQ(resume_after(log_, run + ".x"), 0U);
  EXPECT_EQ(resume_after(log_, ""), 0U);
}

TEST(EventQueryTest, WhatIsNotUnderstoodIsAnError) {
  const auto page = parse_event_query("module=b&module=a&module=b&after=7&limit=3", true);
  ASSERT_TRUE(page);
  EXPECT_THAT(page->filter.modules, ElementsAre("a", "b"));
  EXPECT_EQ(page->after, 7U);
  EXPECT_EQ(page->limit, 3U);
  EXPECT_TRUE(parse_event_query("", false));
  for (const char* wrong : {"modul=a", "after=", "after=-1", "after=1x", "after=99999999999999999999", "limit=1"}) {
    EXPECT_FALSE(parse_event_query(wrong, false)) << wrong;
  }
  EXPECT_FALSE(parse_event_query("limit=10001", true));
}

TEST_F(EventLogTest, ThePrinterShowsLinesWithTheirModuleAndCountsWhatIsMissing) {
  print("a", "one\x1b[31m");
  log_.deployed("a", 1);
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  {
    OutputPrinter printer(log_, ends[1]);
    print("a", "two");
    log_.removed("a", 1);
    print("b", "three\x1b");
    printer.finish();
  }
  std::array<char, 256> text{};
  const ssize_t length = read(ends[0], text.data(), text.size());
  EXPECT_EQ(std::string(text.data(), static_cast<size_t>(length)), "[a] two\n[b] three\\x1b\n");
  std::string line;
  append_log_line(line, {.event = nullptr, .lost = 7});
  EXPECT_EQ(line, "cweb: 7 lines that modules printed are missing here: they came faster than they were read\n");
  close(ends[0]);
  close(ends[1]);
}

/// The pipe is full and nobody reads: the printer stands still, nobody else does, and it ends all the same.
TEST_F(EventLogTest, APrinterWhoseTerminalStandsStillKeepsNobodyWaiting) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  {
    OutputPrinter printer(log_, ends[1]);
    for (int i = 0; i < 1'000; ++i) print("a", std::string(1'000, 'x'));
    EXPECT_EQ(log_.read({}, 0, 1).last_id, 1'000U);
  }
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace cweb::mgnt
