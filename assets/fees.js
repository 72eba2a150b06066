/* What is owed: selection, total, and the sheet that changes an amount. */
(function(){
/* money is integer fen everywhere; text is built from integers, never from floats */
function plain(c){return Math.floor(c/100)+'.'+('0'+c%100).slice(-2)}
function fmt(c){return plain(c).replace(/\B(?=(\d{3})+\.)/g,',')}
function html(c){var t=fmt(c).split('.');return'<span class="n"><i>¥</i>'+t[0]+'<i>.'+t[1]+'</i></span>'}
function cents(t){t=t.replace(/[０-９．]/g,function(x){return String.fromCharCode(x.charCodeAt(0)-65248)}).replace(/[¥￥,，\s]/g,'').replace(/。/g,'.');
var m=/^(\d{1,8})(?:\.(\d{0,2}))?$/.exec(t);return m?m[1]*100+ +((m[2]||'')+'00').slice(0,2):null}
/* arrears */
var why=q('#why'),fees=q('#fees'),all=q('#all');if(fees&&all){var T=fees.dataset,sum=q('#sum'),cnt=q('#cnt'),go=q('#go'),dlg=q('#edit'),D=dlg.dataset,cur;
var rows=function(e){return qa('.fee input[type=checkbox]:not(:disabled)',e)};
var paint=function(){var t=0,n=0,p={},k=0;
qa('.grp',fees).forEach(function(g){var a=rows(g),s=a.filter(function(i){return i.checked});s.forEach(function(i){t+=+i.dataset.c;p[i.dataset.p]=1});n+=s.length;
var h=q('.gall',g);if(h){h.checked=s.length===a.length;h.indeterminate=s.length>0&&s.length<a.length}});
k=rows(fees).length;all.checked=n===k;all.indeterminate=n>0&&n<k;
sum.innerHTML=html(t);cnt.textContent=n?say(T.items,{n:n}):'';go.dataset.none=n?'':T.none;
p=Object.keys(p).length;why.textContent=p>1?say(T.parts,{n:p}):''};
d.addEventListener('change',function(e){var x=e.target,s=x===all?fees:x.classList.contains('gall')?x.closest('.grp'):0;
if(s)rows(s).forEach(function(i){i.checked=x.checked});else if(!x.closest('.fee'))return;paint()});
var show=function(m){q('#ew').classList.toggle('bad',!!m);q('#ee').textContent=m;q('#ea').setAttribute('aria-invalid',!!m)};
fees.addEventListener('click',function(e){var a=e.target.closest('.ed');if(!a||!dlg.showModal)return;var i=q('input',a.closest('.fee'));if(!i.dataset.min)return;e.preventDefault();cur=i;
q('#et').textContent=say(D.title,{item:i.dataset.n});q('#eh').textContent=say(D.range,{min:fmt(+i.dataset.min),max:fmt(+i.dataset.max)});q('#ea').value=plain(+i.dataset.c);show('');dlg.showModal();q('#ea').select()});
dlg.addEventListener('click',function(e){var v=e.target.dataset.v,lo=cur&&+cur.dataset.min,hi=cur&&+cur.dataset.max;
if(v){q('#ea').value=plain(v==='max'?hi:v==='min'?lo:Math.floor(hi/2));show('')}else if(e.target===dlg)dlg.close()});
q('form',dlg).addEventListener('submit',function(e){if(e.submitter&&e.submitter.value==='no')return;e.preventDefault();
var c=cents(q('#ea').value),lo=+cur.dataset.min,hi=+cur.dataset.max,r=cur.closest('.fee'),l=q('.left',r);
if(c===null)return show(D.bad);if(c>hi)return show(say(D.above,{max:fmt(hi)}));
if(c<lo)return show(say(D.below,{min:fmt(lo)}));if(c<hi&&hi-c<lo)return show(say(D.remainder,{rest:fmt(hi-c),min:fmt(lo)}));
cur.dataset.c=c;cur.checked=true;q('input[type=hidden]',r).value=plain(c);q('.amt>.n',r).outerHTML=html(c);r.classList.toggle('chg',c<hi);
l.textContent=c<hi?say(T.rest,{max:fmt(hi),rest:fmt(hi-c)}):l.dataset.t;dlg.close();paint()});
paint()}
})();
