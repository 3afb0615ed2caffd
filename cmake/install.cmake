# What `cmake --install` puts where: mqlab, the library with its headers, the scenarios, and what find_package(mqlab) reads.
include(CMakePackageConfigHelpers)

set_target_properties(mqlab_flags PROPERTIES EXPORT_NAME flags)
set_target_properties(mqlab_sim PROPERTIES EXPORT_NAME sim)
set_target_properties(mqlab_models PROPERTIES EXPORT_NAME models)
set_target_properties(mqlab_kit PROPERTIES EXPORT_NAME kit)

install(TARGETS mqlab_flags mqlab_sim mqlab_models mqlab_kit EXPORT mqlabTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS mqlab RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET mqlab-gui)
  set_target_properties(mqlab-gui PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})  # beside mqlab, which starts it
  install(TARGETS mqlab-gui RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)  # it is built when it is asked for
  install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DATADIR}/mqlab)               # the lessons
endif()
# A folder of their own: <rapidcheck.h> must stay RapidCheck's beside <mqlab/rapidcheck.h>.
install(DIRECTORY sim models kit DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mqlab/house FILES_MATCHING PATTERN "*.h")
install(FILES kit/testing.h kit/rapidcheck.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mqlab)
install(DIRECTORY scenarios DESTINATION ${CMAKE_INSTALL_DATADIR}/mqlab)

set(MQLAB_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mqlab)
install(EXPORT mqlabTargets NAMESPACE mqlab:: DESTINATION ${MQLAB_CMAKE_DIR})
configure_package_config_file(cmake/mqlabConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/mqlabConfig.cmake INSTALL_DESTINATION ${MQLAB_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/mqlabConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mqlabConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/mqlabConfigVersion.cmake cmake/lua.cmake DESTINATION ${MQLAB_CMAKE_DIR})
