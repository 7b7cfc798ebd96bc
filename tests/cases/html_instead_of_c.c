/* case: an HTML page instead of C
 * expect: 422
 * stage: compile
 * says: expected identifier
 * line: 7
 */
<!doctype html>
<title>Counter</title>
