#include "runtime/module_config.h"

#include <gtest/gtest.h>

#include <climits>
#include <cstring>

#include "unit/fake_image.h"

namespace cweb::runtime {
namespace {

int handler(http_request*, http_response*) {
  return 0;
}

class ModuleConfigTest : public testing::Test {
 protected:
  ModuleConfigTest() {
    image_.set_name("test");
    image_.texts = {"/x", "GET"};
  }
  /// A row whose texts are inside the image.
  void add_route(const char* path, const char* method) {
    image_.texts.push_back(path);
    image_.texts.push_back(method);
    image_.add_route(path, method, handler);
  }
  std::string refusal() {
    const auto config = read_config(image_);
    return config ? "" : config.error().message;
  }
  FakeImage image_;
};

TEST_F(ModuleConfigTest, ReadsNameAndRoutes) {
  add_route("/x", "GET");
  add_route("/y.*", "POST");
  const auto config = read_config(image_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->name, "test");
  ASSERT_EQ(config->routes.size(), 2U);
  EXPECT_EQ(config->routes[0].path, "/x");
  EXPECT_FALSE(config->routes[0].is_pattern);
  EXPECT_TRUE(config->routes[1].is_pattern);
  EXPECT_EQ(config->routes[1].method, "POST");
  EXPECT_EQ(config->routes[1].position.line, 11U);
}

TEST_F(ModuleConfigTest, EachCallbackHasTheShapeThatItsFactSays) {
  image_.executable_is_inside = true;
  image_.add_route("/x", "GET", handler, CallShape::context_first);
  image_.add_route("/y", "GET", handler);
  const auto function = reinterpret_cast<cweb_callback_t>(reinterpret_cast<void (*)()>(handler));
  image_.config.websockets[0] = {"/w", function, function, nullptr};
  image_.config.ws_size = 1;
  image_.facts_.websockets.push_back(
      {.index = 0, .position = {}, .on_open = CallShape::documented, .on_message = CallShape::context_first});
  image_.config.onload = image_.config.unload = function;
  image_.facts_.onload = CallShape::context_first;
  image_.facts_.unload = CallShape::documented;
  const auto config = read_config(image_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->routes[0].shape, CallShape::context_first);
  EXPECT_EQ(config->routes[1].shape, CallShape::documented);
  EXPECT_EQ(config->websockets[0].open_shape, CallShape::documented);
  EXPECT_EQ(config->websockets[0].message_shape, CallShape::context_first);
  EXPECT_EQ(config->websockets[0].close_shape, CallShape::absent);
  EXPECT_EQ(config->onload_shape, CallShape::context_first);
  EXPECT_EQ(config->unload_shape, CallShape::documented);
}

TEST_F(ModuleConfigTest, JobsAreCountedAndToldOf) {
  const auto notices = [&] {
    const auto config = read_config(image_);
    return config ? config->notices : std::vector<std::string>{config.error().message};
  };
  EXPECT_TRUE(notices().empty());
  image_.config.job_size = 2;
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_NE(notices()[0].find("`config` has 2 jobs"), std::string::npos) << notices()[0];
  image_.facts_.external_uses.push_back({"jobs_create", {12, 3}});
  ASSERT_EQ(notices().size(), 2U);
  EXPECT_NE(notices()[1].find("line 12 calls jobs_create"), std::string::npos) << notices()[1];
  for (const int size : {-1, CWEB_MAX_JOBS + 1, INT_MAX}) {
    image_.config.job_size = size;
    EXPECT_NE(refusal().find("job_size"), std::string::npos) << size;
  }
}

TEST_F(ModuleConfigTest, NameOf127CharactersIsTheLongest) {
  std::memset(image_.config.name, 'n', 127);
  EXPECT_EQ(refusal(), "");
  std::memset(image_.config.name, 'n', 128);
  EXPECT_NE(refusal().find("at most 127"), std::string::npos);
}

TEST_F(ModuleConfigTest, NamesThatReadLikePathsOrBreakLinesAreRefused) {
  for (const char* name : {"", "a/b", "..", "a..b", ".", "a\nb", "caf\xc3\xa9", " a", "a "}) {
    image_.set_name(name);
    EXPECT_NE(refusal(), "") << name;
  }
  for (const char* name : {"a", "my module", "a.b-c_d", "(x)"}) {
    image_.set_name(name);
    EXPECT_EQ(refusal(), "") << name;
  }
}

TEST_F(ModuleConfigTest, SizeOutsideTheArrayIsRefused) {
  for (const int size : {-1, INT_MIN, CWEB_MAX_ROUTES + 1, 1 << 30, INT_MAX}) {
    image_.config.size = size;
    EXPECT_NE(refusal().find(std::to_string(size)), std::string::npos) << size;
  }
  image_.config.size = 0;
  for (const int size : {-1, CWEB_MAX_WEBSOCKETS + 1, 1 << 30}) {
    image_.config.ws_size = size;
    EXPECT_NE(refusal().find("ws_size"), std::string::npos) << size;
  }
}

TEST_F(ModuleConfigTest, RowsThatSizeDoesNotCountAreTold) {
  add_route("/x", "GET");
  image_.config.size = 0;
  const auto config = read_config(image_);
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->routes.empty());
  ASSERT_EQ(config->notices.size(), 1U);
}

TEST_F(ModuleConfigTest, MissingPartsOfARouteAreNamed) {
  add_route("/x", "GET");
  image_.config.routes[0].path = nullptr;
  EXPECT_NE(refusal().find("path"), std::string::npos);
  image_.config.routes[0].path = image_.texts[0].data();
  image_.config.routes[0].method = nullptr;
  EXPECT_NE(refusal().find("method"), std::string::npos);
  image_.config.routes[0].method = "GET";
  image_.config.routes[0].method = image_.texts[1].data();
  image_.config.routes[0].handler = nullptr;
  EXPECT_NE(refusal().find("handler"), std::string::npos);
}

TEST_F(ModuleConfigTest, PathsThatNoRequestHasAreRefused) {
  for (const char* path : {"x", "", "/a b", "/a\tb", "/a\nb", "/a\x7f", "x.*", "/a#b"}) {
    image_.config.size = 0;
    image_.facts_.routes.clear();
    add_route(path, "GET");
    EXPECT_NE(refusal(), "") << path;
  }
}

TEST_F(ModuleConfigTest, UnknownMethodsAreRefusedByName) {
  add_route("/x", "get");
  EXPECT_NE(refusal().find("\"get\""), std::string::npos);
}

TEST_F(ModuleConfigTest, PointersOutOfTheImageAreNotFollowed) {
  add_route("/x", "GET");
  image_.config.routes[0].path = reinterpret_cast<const char*>(8);
  EXPECT_NE(refusal(), "");
  image_.config.routes[0].path = image_.texts[0].data();
  image_.config.routes[0].handler = reinterpret_cast<entry_t>(8);
  EXPECT_NE(refusal(), "");
}

TEST_F(ModuleConfigTest, HandlerWhoseTypeNobodySawIsRefused) {
  add_route("/x", "GET");
  image_.facts_.routes.clear();
  EXPECT_NE(refusal().find("type"), std::string::npos);
}

TEST_F(ModuleConfigTest, NoConfigIsToldWithTheLineToWrite) {
  image_.has_config = false;
  EXPECT_NE(refusal().find("export module_t config"), std::string::npos);
}

TEST_F(ModuleConfigTest, LayoutsThatDoNotLieWithinTheStructAreRefused) {
  add_route("/x", "GET");
  const ConfigLayout documented = FakeImage::layout();
  ConfigLayout& layout = image_.facts_.layout;
  const auto refused_with = [&](auto change) {
    layout = documented;
    change();
    return refusal().find("<cweb.h>") != std::string::npos;
  };
  EXPECT_TRUE(refused_with([&] { layout.name.reset(); }));
  EXPECT_TRUE(refused_with([&] { layout.author->offset = SIZE_MAX - 4; }));
  EXPECT_TRUE(refused_with([&] { layout.name->size = layout.size + 1; }));
  EXPECT_TRUE(refused_with([&] { layout.name->size = 0; }));
  EXPECT_TRUE(refused_with([&] { layout.route_count->size = 1; }));
  EXPECT_TRUE(refused_with([&] { layout.onload->offset = layout.size - 4; }));
  EXPECT_TRUE(refused_with([&] { layout.routes->element_count = SIZE_MAX; }));
  EXPECT_TRUE(refused_with([&] { layout.routes->element_size = 0; }));
  EXPECT_TRUE(refused_with([&] { layout.job_count->offset = layout.size; }));
  EXPECT_TRUE(refused_with([&] { layout.jobs->element_size = 0; }));
  EXPECT_TRUE(refused_with([&] { layout.route_path.offset = layout.routes->element_size - 4; }));
  EXPECT_TRUE(refused_with([&] { layout.websocket_on_close.size = 2; }));
  EXPECT_FALSE(refused_with([] {}));
  EXPECT_FALSE(refused_with([&] {
    layout.websockets.reset();
    layout.websocket_count.reset();
    layout.jobs.reset();
    layout.job_count.reset();
  }));
}

TEST_F(ModuleConfigTest, WebSocketPathsAreUnique) {
  image_.texts.push_back("/ws");
  image_.config.websockets[0].path = image_.texts.back().data();
  image_.config.websockets[1].path = image_.texts.back().data();
  image_.config.ws_size = 1;
  EXPECT_EQ(refusal(), "");
  image_.config.ws_size = 2;
  EXPECT_NE(refusal().find("twice"), std::string::npos);
}

}  // namespace
}  // namespace cweb::runtime
