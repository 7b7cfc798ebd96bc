// What modules print becomes lines, whatever they print with and however the call ends.
#include "runtime/module_output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <wchar.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "runtime/invoke.h"
#include "runtime/output_files.h"
#include "runtime/runtime.h"
#include "unit/fake_image.h"
#include "unit/runtime/host_functions_fixture.h"

namespace cweb::runtime {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

FILE* module_stdout() {
  return *host<FILE**()>("__cweb_stdout")();
}
FILE* module_stderr() {
  return *host<FILE**()>("__cweb_stderr")();
}

const char* volatile bad_text = reinterpret_cast<const char*>(0x10);

class Lines final : public OutputSink {
 public:
  void printed(const ModuleVersion& version, OutputStream stream, std::string_view line, bool cut) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(version.config.name + (stream == OutputStream::out ? " 1 " : " 2 ") + std::string(line) +
                     (cut ? " (cut)" : ""));
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

class ModuleOutputTest : public testing::Test {
 protected:
  ModuleOutputTest() { set_output_sink(&lines_); }
  ~ModuleOutputTest() override { set_output_sink(nullptr); }

  /// As a call into the module, on a thread of the server's.
  WaitedCall call(void (*function)()) {
    return call_and_wait(runtime_->spare_threads(), runtime_->deadlines(), version_, function, 10s);
  }

  Lines lines_;
  std::unique_ptr<Runtime> runtime_ = *Runtime::create();
  std::shared_ptr<ModuleVersion> version_ = make_version(1, "m", {});
};

TEST_F(ModuleOutputTest, AllWaysToPrintLeadToLines) {
  call([] {
    EXPECT_EQ(host<int(const char*, ...)>("printf")("%s %d\n", "printf", 1), 9);
    EXPECT_GE(host<int(const char*)>("puts")("puts"), 0);
    EXPECT_EQ(host<int(int)>("putchar")('c'), 'c');
    EXPECT_EQ(host<int(int)>("putchar_unlocked")('\n'), '\n');
    EXPECT_EQ(host<int(int, const char*, ...)>("__printf_chk")(1, "chk %d\n", 2), 6);
    EXPECT_EQ(host<int(int, const char*, ...)>("dprintf")(2, "dprintf %d\n", 3), 10);
    EXPECT_EQ(host<ssize_t(int, const void*, size_t)>("write")(1, "write\nmore\n", 11), 11);
    const std::array<iovec, 2> pieces{{{const_cast<char*>("wri"), 3}, {const_cast<char*>("tev\n"), 4}}};
    EXPECT_EQ(host<ssize_t(int, const iovec*, int)>("writev")(2, pieces.data(), 2), 7);
    EXPECT_EQ(host<long(long, ...)>("syscall")(SYS_write, 1L, "by number\n", 10L), 10);
    errno = ENOENT;
    host<void(const char*)>("perror")("perror");
    host<void(const char*, ...)>("warnx")("warnx %d", 4);
  });
  EXPECT_THAT(lines_.take(),
              ElementsAre("m 1 printf 1", "m 1 puts", "m 1 c", "m 1 chk 2", "m 2 dprintf 3", "m 1 write", "m 1 more",
                          "m 2 writev", "m 1 by number", "m 2 perror: No such file or directory", "m 2 warnx 4"));
}

TEST_F(ModuleOutputTest, StreamsAreLinesToo) {
  call([] {
    EXPECT_EQ(std::fputs("fputs\n", module_stdout()), 1);
    std::fprintf(module_stderr(), "fprintf %d\n", 1);
    EXPECT_EQ(fileno(module_stdout()), 1);
    EXPECT_EQ(fileno(module_stderr()), 2);
    EXPECT_EQ(host<int(FILE*, char*, int, size_t)>("setvbuf")(module_stdout(), nullptr, _IOFBF, 4096), 0);
    std::fwrite("unbuffered\n", 1, 11, module_stdout());
    EXPECT_EQ(host<int(FILE*)>("fclose")(module_stdout()), 0);
    std::fputc('x', module_stdout());
    std::fputc('\n', module_stdout());
    EXPECT_EQ(host<FILE*(const char*, const char*, FILE*)>("freopen")("/dev/null", "w", module_stderr()), nullptr);
    std::fputs("by its address\n", *host<FILE*>("stderr"));
  });
  EXPECT_THAT(lines_.take(),
              ElementsAre("m 1 fputs", "m 2 fprintf 1", "m 1 unbuffered", "m 1 x", "m 2 by its address"));
}

TEST_F(ModuleOutputTest, FunctionsOfStreamsPrintToThoseOfModulesAndToOthers) {
  call([] {
    std::array<char, 64> text{};
    FILE* const other = fmemopen(text.data(), text.size(), "w");
    for (FILE* const stream : {module_stdout(), other}) {
      EXPECT_GE(host<int(const char*, FILE*)>("fputs")("fputs\n", stream), 0);
      EXPECT_EQ(host<size_t(const void*, size_t, size_t, FILE*)>("fwrite")("fwrite\n", 7, 1, stream), 1U);
      EXPECT_EQ(host<int(int, FILE*)>("putc")('c', stream), 'c');
      EXPECT_EQ(host<int(int, FILE*)>("_IO_putc")('\n', stream), '\n');
      EXPECT_EQ(host<int(FILE*, const char*, ...)>("fprintf")(stream, "fprintf %d\n", 1), 10);
      EXPECT_EQ(host<int(FILE*, int, const char*, ...)>("__fprintf_chk")(stream, 1, "chk %d\n", 2), 6);
    }
    std::fclose(other);
    EXPECT_STREQ(text.data(), "fputs\nfwrite\nc\nfprintf 1\nchk 2\n");
    EXPECT_EQ(host<size_t(const void*, size_t, size_t, FILE*)>("fwrite")("", 0, 1, module_stdout()), 0U);
  });
  EXPECT_THAT(lines_.take(), ElementsAre("m 1 fputs", "m 1 fwrite", "m 1 c", "m 1 fprintf 1", "m 1 chk 2"));
}

TEST_F(ModuleOutputTest, WideCharactersAreUtf8) {
  call([] {
    EXPECT_EQ(host<int(const wchar_t*, ...)>("wprintf")(L"w\u00e9 %ls %d\n", L"\u20ac\U0001f600", 1), 8);
    EXPECT_EQ(host<int(FILE*, const wchar_t*, ...)>("fwprintf")(module_stderr(), L"%d\n", 2), 2);
    EXPECT_EQ(host<int(int, const wchar_t*, ...)>("__wprintf_chk")(1, L"%d\n", 3), 2);
    EXPECT_EQ(host<int(const wchar_t*, FILE*)>("fputws")(L"fputws", module_stdout()), 1);
    EXPECT_EQ(host<wint_t(wchar_t)>("putwchar")(L'\u00e9'), static_cast<wint_t>(0xe9));
    EXPECT_EQ(host<wint_t(wchar_t, FILE*)>("fputwc")(L'\n', module_stdout()), static_cast<wint_t>('\n'));
    EXPECT_EQ(host<int(const wchar_t*, ...)>("wprintf")(L"%5000d\n", 4), 5'001);
    EXPECT_EQ(host<int(const wchar_t*, ...)>("wprintf")(L"%9000000d\n", 4), -1);
    const wchar_t wrong[] = {static_cast<wchar_t>(0xd800), L'\n', 0};
    host<int(const wchar_t*, FILE*)>("fputws")(wrong, module_stdout());
  });
  EXPECT_THAT(lines_.take(),
              ElementsAre("m 1 w\xc3\xa9 \xe2\x82\xac\xf0\x9f\x98\x80 1", "m 2 2", "m 1 3", "m 1 fputws\xc3\xa9",
                          "m 1 " + std::string(4'999, ' ') + "4", "m 1 \xef\xbf\xbd"));
}

TEST_F(ModuleOutputTest, ADeadlineEndsALoopOfPrinting) {
  const auto end_of = [this](void (*function)()) {
    return call_and_wait(runtime_->spare_threads(), runtime_->deadlines(), version_, function, 20ms).ending;
  };
  EXPECT_EQ(end_of([] {
              FILE* const stream = module_stdout();
              for (;;) host<int(const char*, FILE*)>("fputs")("x\n", stream);
            }),
            WaitedCall::Ending::stopped);
  static const std::string lines(size_t{16} << 20, '\n');
  EXPECT_EQ(end_of([] {
              const auto print = host<ssize_t(int, const void*, size_t)>("write");
              for (;;) print(1, lines.data(), lines.size());
            }),
            WaitedCall::Ending::stopped);
  EXPECT_EQ(end_of([] { host<int(const char*)>("puts")(lines.c_str()); }), WaitedCall::Ending::stopped);
}

TEST_F(ModuleOutputTest, AWriteTakesAMebibyteAtMost) {
  static const std::string text(size_t{2} << 20, 'x');
  call([] {
    EXPECT_EQ(host<ssize_t(int, const void*, size_t)>("write")(1, text.data(), text.size()), ssize_t{1} << 20);
    const std::array<iovec, 2> pieces{
        {{const_cast<char*>(text.data()), text.size()}, {const_cast<char*>(text.data()), 1}}};
    EXPECT_EQ(host<ssize_t(int, const iovec*, int)>("writev")(1, pieces.data(), 2), ssize_t{1} << 20);
  });
}

TEST_F(ModuleOutputTest, AStreamOfADescriptorOfTheServersIsNotClosed) {
  call([] {
    for (int i = 0; i < 3; ++i) {
      FILE* const again = host<FILE*(int, const char*)>("fdopen")(fileno(module_stderr()), "w");
      ASSERT_NE(again, nullptr);
      std::fputs("again\n", again);
      EXPECT_EQ(host<int(FILE*)>("fclose")(again), 0);
    }
    EXPECT_EQ(host<FILE*(int, const char*)>("fdopen")(0, "r"), nullptr);
    EXPECT_EQ(errno, EBADF);
    EXPECT_NE(fcntl(2, F_GETFD), -1);
  });
  EXPECT_THAT(lines_.take(), ElementsAre("m 2 again", "m 2 again", "m 2 again"));
}

/// The variable is the process's, so what one module writes to it would meet all of them.
TEST_F(ModuleOutputTest, WhatAModuleAssignsToTheSharedVariableEnds) {
  FILE** const shared = host<FILE*>("stdout");
  FILE* const known = *shared;
  ASSERT_NE(known, nullptr);
  call([] {
    *host<FILE*>("stdout") = nullptr;
    std::fputs(bad_text, module_stdout());
  });
  EXPECT_EQ(*shared, known) << "with a fault";
  *shared = nullptr;
  {
    const OutputFiles files;
  }
  EXPECT_EQ(*shared, known) << "with the streams of a version";
  call([] {
    host<int(const char*)>("puts")("printed");
    *host<FILE*>("stdout") = nullptr;
  });
  EXPECT_EQ(*shared, known) << "with a call";
  *shared = nullptr;
  EXPECT_EQ(module_stdout(), known) << "outside of a call";
}

TEST_F(ModuleOutputTest, ALineEndsWithTheCall) {
  call([] {
    host<int(const char*, ...)>("printf")("un");
    std::fputs("finished", module_stdout());
    std::fputs("on the other side", module_stderr());
  });
  EXPECT_THAT(lines_.take(), ElementsAre("m 1 unfinished", "m 2 on the other side"));
  call([] {});
  EXPECT_THAT(lines_.take(), IsEmpty());
}

TEST_F(ModuleOutputTest, ALineIsCutAndOneOfAnyLengthIsPrinted) {
  call([] {
    const std::string long_line(20'000, 'x');
    EXPECT_EQ(host<int(const char*, ...)>("printf")("%s\nnext\n", long_line.c_str()), 20'006);
    EXPECT_EQ(host<int(const char*, ...)>("printf")("%s\n", std::string(2'000, 'y').c_str()), 2'001);
  });
  EXPECT_THAT(lines_.take(), ElementsAre("m 1 " + std::string(longest_output_line, 'x') + " (cut)", "m 1 next",
                                         "m 1 " + std::string(2'000, 'y')));
}

TEST_F(ModuleOutputTest, WhatWasPrintedBeforeAFaultIsNotLost) {
  for (int i = 0; i < 3; ++i) {
    const WaitedCall in_printf = call([] {
      host<int(const char*, ...)>("printf")("before");
      host<int(const char*, ...)>("printf")("%s\n", bad_text);
    });
    EXPECT_EQ(in_printf.ending, WaitedCall::Ending::stopped);
    EXPECT_THAT(lines_.take(), ElementsAre("m 1 before"));
    const WaitedCall in_stream = call([] {
      std::fputs("before", module_stderr());
      std::fprintf(module_stderr(), "%s\n", bad_text);
    });
    EXPECT_EQ(in_stream.ending, WaitedCall::Ending::stopped);
    EXPECT_THAT(lines_.take(), ElementsAre("m 2 before"));
  }
  call([] { std::fputs("and it goes on\n", module_stderr()); });
  EXPECT_THAT(lines_.take(), ElementsAre("m 2 and it goes on"));
}

FILE* kept_stream = nullptr;

/// Another thread must not wait for the lock of one that will never come back.
TEST_F(ModuleOutputTest, AStreamThatAModuleHasKeptIsUsableAfterAFaultInIt) {
  call([] { kept_stream = module_stdout(); });
  call([] { std::fprintf(kept_stream, "%s\n", bad_text); });
  call([] { std::fputs("kept\n", kept_stream); });
  call([] { flockfile(kept_stream); });
  call([] { host<int(const char*, FILE*)>("fputs")("own\n", module_stdout()); });
  EXPECT_THAT(lines_.take(), ElementsAre("m 1 kept", "m 1 own"));
}

TEST_F(ModuleOutputTest, ThreadsDoNotMixTheirLines) {
  constexpr int rounds = 200;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      call([] {
        for (int round = 0; round < rounds; ++round) {
          std::fputs("ab", module_stdout());
          host<int(const char*, ...)>("printf")("c%s", "d");
          std::fputs("ef\n", module_stdout());
        }
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = lines_.take();
  EXPECT_EQ(lines.size(), 4U * rounds);
  EXPECT_THAT(lines, testing::Each("m 1 abcdef"));
}

TEST_F(ModuleOutputTest, VersionsHaveStreamsOfTheirOwn) {
  static FILE* first = nullptr;
  call([] { first = module_stdout(); });
  version_ = make_version(2, "n", {});
  call([] {
    EXPECT_NE(module_stdout(), first);
    std::fputs("mine\n", module_stdout());
  });
  EXPECT_THAT(lines_.take(), ElementsAre("n 1 mine"));
}

}  // namespace
}  // namespace cweb::runtime
