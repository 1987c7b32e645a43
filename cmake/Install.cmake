# What a package holds: the program, its manual page, the CRDs, the samples.
include(GNUInstallDirs)
install(TARGETS frontdesk RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/frontdesk.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES config/frontdesk.yaml DESTINATION ${CMAKE_INSTALL_DATADIR}/frontdesk)
install(DIRECTORY crds config/samples config/rbac DESTINATION ${CMAKE_INSTALL_DATADIR}/frontdesk)
