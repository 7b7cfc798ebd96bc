# What `make install` and `cmake --install` put where. The service's unit names the binary by the prefix of the
# installation, which is known no earlier.

include(GNUInstallDirs)

install(TARGETS cweb RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES include/cweb.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES README.md ARCHITECTURE.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY modules/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/modules)
install(CODE "
  set(bindir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  set(docdir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
  configure_file(\"${PROJECT_SOURCE_DIR}/packaging/cweb.service.in\" \"${PROJECT_BINARY_DIR}/packaging/cweb.service\" @ONLY)")
# Where systemd looks, below each prefix that it knows.
install(FILES ${PROJECT_BINARY_DIR}/packaging/cweb.service DESTINATION lib/systemd/system)
