// What a Host may be. What else the fields of a head say together is tested where a whole request is read.
#include "http/field_check.h"

#include <gtest/gtest.h>

namespace cweb::http {
namespace {

TEST(FieldCheckTest, NamesAndAddressesAreHosts) {
  for (const char* host : {"", "h", "localhost", "localhost:8080", "a.b-c.d_e", "127.0.0.1", "127.0.0.1:65535", "[::1]",
                           "[::1]:80", "[2001:db8::1]:8080", "h:", "a%20b", "xn--bcher-kva.example", "a,b"}) {
    EXPECT_TRUE(is_host(host)) << host;
  }
}

TEST(FieldCheckTest, WhatAUrlCannotHaveAsItsHostIsNone) {
  for (const char* host : {"a b",
                           "a/b",
                           "a?b",
                           "a#b",
                           "a\\b",
                           "user@h",
                           "user:password@h",
                           ":80",
                           "h:65536",
                           "h:123456",
                           "h:8x",
                           "h:-1",
                           "h:+1",
                           "h: 80",
                           "a:b:c",
                           "h:80:80",
                           "::1",
                           "[::1",
                           "::1]",
                           "[]",
                           "[h]",
                           "[::1]h",
                           "[::1]80",
                           "[::1%25lo]",
                           "[1.2.3.4]",
                           "[::1]:80:90",
                           "http://h",
                           "a%2",
                           "a%zz",
                           "%",
                           "a<b",
                           "\"h\"",
                           "h\xc3\xa4",
                           "[[::1]]",
                           "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:1]"}) {
    EXPECT_FALSE(is_host(host)) << host;
  }
}

}  // namespace
}  // namespace cweb::http
