/* case: prose instead of C
 * expect: 422
 * stage: compile
 * says: unknown type name 'Dear'
 * line: 7
 */
Dear server,
please count my visitors.
