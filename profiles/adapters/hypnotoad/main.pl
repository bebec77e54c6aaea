use Mojolicious::Lite -signatures;
app->log->level('fatal');
app->config(hypnotoad => {listen => ["http://127.0.0.1:$ENV{PORT}"], pid_file => "$ENV{SOCKETLAB_DIR}/pid"});
any '/' => {text => 'ok'};
get '/slow' => sub ($c) { $c->render_later; Mojo::IOLoop->timer(2 => sub { $c->render(text => 'ok') }) };
post '/read' => {text => 'ok'}; # the body is read before
app->start;
